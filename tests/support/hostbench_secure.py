#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds mimalloc's secure variant from Debian's source package.

Debian has the plain library only. The source is that of the same package, its
signature checked by apt; package lists and sources of the system stay as they
are. Nothing is done twice.
"""
import dataclasses
import pathlib
import shutil
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGE = "mimalloc"
TOOLS = ("apt-get", "dpkg-source", "cmake", "make", "gcc")


@dataclasses.dataclass
class Secure:
    """The library, or why there is none."""

    library: pathlib.Path | None = None
    version: str = ""
    problem: str = ""


class Failed(Exception):
    """A step did not work."""


def step(words, log, **more):
    """Runs a command; its output goes to the log."""
    with log.open("a") as out:
        out.write(f"$ {' '.join(map(str, words))}\n")
        out.flush()
        run = subprocess.run(words, check=False, stdin=subprocess.DEVNULL,
                             stdout=out, stderr=out, timeout=600, **more)
    if run.returncode:
        raise Failed(f"{words[0]} failed, see {log}")


def mirror():
    """Mirror and suite that this system already uses."""
    run = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)",
         "Created-By: Packages"], text=True, check=False,
        capture_output=True)
    rows = [line.split() for line in run.stdout.splitlines()]
    rows = [row for row in rows if len(row) == 2 and
            not row[1].endswith(("-updates", "-security", "-backports"))]
    if not rows:
        raise Failed("this system has no package source of Debian")
    return rows[0]


def download(folder, log):
    """Fetches and unpacks the source package."""
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    site, suite = mirror()
    sources = folder / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {site} {suite} main\n")
    options = [f"-oDir::Etc::SourceList={sources}",
               "-oDir::Etc::SourceParts=-",
               f"-oDir::State::Lists={folder}/lists",
               f"-oDir::Cache={folder}", "-oAPT::Sandbox::User=root"]
    step(["apt-get", *options, "update"], log)
    step(["apt-get", *options, "source", PACKAGE], log, cwd=folder)
    return next(p for p in folder.glob(f"{PACKAGE}-*") if p.is_dir())


def compile_in(folder, source, log):
    """Builds as Debian does, but for MI_SECURE."""
    build = folder / "build"
    step(["cmake", "-S", source, "-B", build,
          "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DMI_SECURE=ON",
          "-DMI_BUILD_STATIC=OFF", "-DMI_BUILD_OBJECT=OFF",
          "-DMI_BUILD_TESTS=OFF"], log)
    step(["cmake", "--build", build], log)
    found = sorted(build.glob("libmimalloc*.so.*.*"))
    if not found:
        raise Failed(f"the build has no library, see {log}")
    return found[0]


def build(folder):
    """The secure library below the folder; builds it if needed."""
    folder = folder.resolve()
    library = folder / "libmimalloc-secure.so"
    version = folder / "version"
    if library.exists() and version.exists():
        return Secure(library, version.read_text())
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if lacking:
        return Secure(problem=f"{' '.join(lacking)} not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print("building mimalloc with MI_SECURE from Debian's source", flush=True)
    try:
        source = download(folder, folder / "log")
        built = compile_in(folder, source, folder / "log")
    except (Failed, subprocess.TimeoutExpired, StopIteration) as error:
        return Secure(problem=f"no secure build: {error}")
    version.write_text(source.name.removeprefix(f"{PACKAGE}-") +
                       " MI_SECURE=ON")
    shutil.copy(built, library)
    return Secure(library, version.read_text())


if __name__ == "__main__":
    import sys
    print(build(pathlib.Path(sys.argv[1])))
