#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The library builds within Unikraft, as far as this tree can tell.

    check_unikraft.py [root]

tests/unikraft states the contract: include/ has headers that stand for
Unikraft's, options.uk for its menu, configs.tsv the builds, symbols.tsv what
the library may need from the rest of an image and when. For each build the
Makefile.uk files say sources, flags and wraps; the objects are linked as
Unikraft does it. Found are: what does not compile, symbols that are not
listed, lines of the list and headers that nobody needs, and wraps, their
functions and exportsyms.uk where they disagree. CC is the compiler.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

import kconfiglib

import tree

HERE = pathlib.Path("tests/unikraft")
LIBRARY = pathlib.Path("lib/ukallocrnd")
CC = os.environ.get("CC", "gcc")
# Those of Unikraft 0.17 for a source that may run in interrupts
CC_FLAGS = [
    "-O1", "-Wall", "-Wextra", "-Werror", "-nostdinc", "-m64", "-mno-red-zone",
    "-mgeneral-regs-only", "-fno-PIC", "-fno-asynchronous-unwind-tables",
    "-fno-stack-protector", "-fno-omit-frame-pointer", "-fcf-protection=none",
    "-fno-builtin" if "clang" in CC else "-fno-tree-loop-distribute-patterns",
    "-U__linux__", "-D__Unikraft__", "-D__INTERRUPTSAFE__",
    f"-I{HERE}/include"]
# Prints a line each of sources, flags and wraps
DRIVER = """\
comma := ,
CONFIG_UK_BASE := {base}
include {out}/.config
include tests/support/uk.mk
$(eval $(call import_lib,.))
$(info $(call uk_srcs,libukallocrnd))
$(info $(CFLAGS-y) $(CINCLUDES-y) $(LIBUKALLOCRND_CINCLUDES-y) \\
\t$(LIBUKALLOCRND_CFLAGS-y))
wrap := -Wl$(comma)--wrap=%
$(info $(patsubst $(wrap),%,$(filter $(wrap),$(LDFLAGS-y))))
all: ;
"""


class Build:
    """The library in one configuration."""

    def __init__(self, name, choices, out):
        self.name, self.out = name, out
        self.kconf = kconfiglib.Kconfig(str(HERE / "options.uk"))
        wanted = [choice.split("=") for choice in
                  f"LIBUKALLOCRND=y {choices.strip('-')}".split()]
        symbols = [self.kconf.syms.get(option) for option, _ in wanted]
        for symbol, (_, value) in zip(symbols, wanted):
            if symbol:
                symbol.set_value(value)
        for symbol, (option, value) in zip(symbols, wanted):
            if not symbol or symbol.str_value != value:
                sys.exit(f"{HERE}/configs.tsv: {name}: {option}={value} "
                         f"cannot be")
        (out / "include/uk").mkdir(parents=True)
        self.kconf.write_config(str(out / ".config"), save_old=False)
        self.kconf.write_autoconf(str(out / "include/uk/config.h"))
        self.sources, self.flags, self.wraps = self.read_makefiles()
        self.needed, self.defined = set(), set()

    def read_makefiles(self):
        """What Makefile.uk has for the configuration."""
        driver = self.out / "driver.mk"
        driver.write_text(DRIVER.format(base=HERE / "include", out=self.out))
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("MAKE")}
        lines = run(["make", "-sf", str(driver)], env=env).splitlines()
        sources, flags, wraps = (line.split() for line in lines)
        return sources, flags, set(wraps)

    def command(self, source):
        """Start of the command that reads a source."""
        return [CC, *CC_FLAGS, f"-I{self.out}/include", *self.flags, source]

    def preprocess(self, source):
        """Text for the compiler with the flags that it does not show, and
        the files that it came from."""
        rule = self.out / f"{pathlib.Path(source).stem}.d"
        text = run([*self.command(source), "-E", "-P", "-MD", "-MF",
                    str(rule)])
        files = rule.read_text().replace("\\\n", " ").split()[1:]
        flags = [flag for flag in self.flags if flag[:2] not in ("-D", "-I")]
        return (" ".join([*flags, text]),
                {os.path.normpath(file) for file in files})

    def link(self, objects):
        """Makes one object of them and reads its symbols."""
        library = str(self.out / "library.o")
        run(["ld", "-r", "-o", library, *objects])
        for line in run(["nm", "-g", library]).splitlines():
            *_, kind, name = line.split()
            (self.needed if kind in "Uwv" else self.defined).add(name)
        self.needed.discard("_GLOBAL_OFFSET_TABLE_")  # the linker's own


def run(command, env=None):
    """Output of a command; ends the check if it fails."""
    done = subprocess.run(command, env=env, text=True, check=False,
                          capture_output=True)
    if done.returncode:
        raise ChildProcessError(f"{command[0]} fails:\n{done.stderr.strip()}")
    return done.stdout


def together(pool, commands):
    """Runs commands; ends the check if any failed."""
    futures = [pool.submit(run, command) for command in commands]
    bad = {str(future.exception()): None for future in futures
           if future.exception()}
    if bad:
        raise ChildProcessError("\n".join(bad))


def table(name):
    """First two columns of a table."""
    lines = (HERE / name).read_text().splitlines()
    return dict(line.split("\t")[:2] for line in lines
                if line and not line.startswith("#"))


def compile_all(pool, builds, out):
    """Makes and links the objects; builds for which a source has the same text
    share one. Returns the files that were read."""
    jobs = [(build, source) for build in builds for source in build.sources]
    parts = dict(zip(jobs, pool.map(lambda job: job[0].preprocess(job[1]),
                                    jobs)))
    first = {}
    for job in jobs:
        first.setdefault((job[1], parts[job][0]), job)
    objects = {key: str(out / f"{number}.o")
               for number, key in enumerate(first)}
    together(pool, [[*first[key][0].command(key[0]), "-c", "-o", objects[key]]
                    for key in first])
    for build in builds:
        build.link([objects[source, parts[build, source][0]]
                    for source in build.sources])
    return set().union(*(files for _, files in parts.values()))


def check_headers(read, out):
    """Headers come from the contract only, and all of it is used."""
    stand_ins = {str(path) for path in (HERE / "include").rglob("*.h")}
    for file in sorted(stand_ins - read):
        yield f"{file}: nobody includes it"
    for file in sorted(read - stand_ins):
        if not pathlib.Path(file).is_relative_to(LIBRARY) and \
                not pathlib.Path(file).is_relative_to(out):
            yield f"{file}: is not there in a Unikraft tree, but included"


def check_symbols(builds):
    """What the library needs from the rest of the image. What a wrap calls
    the linker names after what it wraps."""
    listed, needers = table("symbols.tsv"), {}
    for build in builds:
        for name in sorted(build.needed):
            plain = name.removeprefix("__real_")
            needers.setdefault(plain, {})[build.name] = build
            if plain != name and plain not in build.wraps:
                yield f"{name}: is needed in {build.name}, but not wrapped"
    for name, those in sorted(needers.items()):
        there = listed.get(name, "n")
        where = [build.name for build in those.values()
                 if not build.kconf.eval_string(there)]
        if where:
            yield f"{name}: is needed in {', '.join(where)}; listed: {there}"
    for name in sorted(listed.keys() - needers):
        yield f"{name}: is listed, but nobody needs it"


def check_wraps(builds):
    """The linker's --wrap, the functions for it, and exportsyms.uk: what is
    not exported becomes local."""
    exported = set((LIBRARY / "exportsyms.uk").read_text().split())
    for build in builds:
        asked = {f"__wrap_{name}" for name in build.wraps}
        there = {name for name in build.defined if name.startswith("__wrap_")}
        for name in sorted(asked - there):
            yield f"{build.name}: {name} is asked for, but not defined"
        for name in sorted(there - asked):
            yield f"{build.name}: {name} is defined, but not asked for"
    defined = set().union(*(build.defined for build in builds))
    for name in sorted(defined - exported):
        if not name.startswith("rnd_"):
            yield f"{LIBRARY}/exportsyms.uk: lacks {name}"
    for name in sorted(exported - defined):
        yield f"{LIBRARY}/exportsyms.uk: nobody defines {name}"


def main():
    """Checks the tree."""
    os.chdir(tree.root_of(sys.argv))
    bad, builds = [], []
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        out = pathlib.Path(folder)
        try:
            builds = [Build(name, choices, out / name)
                      for name, choices in table("configs.tsv").items()]
            read = compile_all(pool, builds, out)
            bad = [*check_headers(read, out), *check_symbols(builds),
                   *check_wraps(builds)]
        except ChildProcessError as error:
            bad = [str(error)]
    tree.end("unikraft", bad, f"{len(builds)} builds")


if __name__ == "__main__":
    main()
