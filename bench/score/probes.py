# SPDX-License-Identifier: BSD-3-Clause
"""Allocators, and how to run the probe on them."""
import array
import dataclasses
import pathlib
import re
import subprocess

TIMEOUT_S = 300


class ProbeError(RuntimeError):
    """The probe did not do what it was asked for."""


@dataclasses.dataclass
class Allocator:
    """A name, a library to preload (none: the C library) and what else
    stands in the environment."""

    name: str
    path: pathlib.Path = None
    env: dict = dataclasses.field(default_factory=dict)

    def environment(self):
        """Nothing of ours, so that all runs have the same."""
        preload = {"LD_PRELOAD": str(self.path)} if self.path else {}
        return {**self.env, **preload}


def parse_allocator(text, library):
    """NAME=path.so[,VARIABLE=value]..., or one of the two known names."""
    if text == "glibc":
        return Allocator(text)
    if text == "ukallocrnd":
        text = f"ukallocrnd={library}"
    name, mark, rest = text.partition("=")
    path, *variables = rest.split(",")
    if not mark or not re.fullmatch(r"[\w.+-]+", name) or not path:
        raise ValueError(f"'{text}' is not NAME=path.so[,VARIABLE=value]...")
    file = pathlib.Path(path).resolve()
    if not file.is_file():
        raise ValueError(f"{name}: there is no file {path}")
    return Allocator(name, file, dict(v.split("=", 1) for v in variables))


@dataclasses.dataclass
class Probe:
    """The program of probe.c on one allocator."""

    program: pathlib.Path
    allocator: Allocator
    size: int
    live: int

    def raw(self, mode, n=1):
        """What it writes."""
        command = [str(self.program), mode, str(self.size), str(n),
                   str(self.live)]
        done = subprocess.run(command, env=self.allocator.environment(),
                              stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        if done.returncode or done.stderr:
            raise ProbeError(
                f"{self.allocator.name}: probe {mode} ended with "
                f"{done.returncode}: "
                f"{done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def words(self, mode, n=1):
        """Its words."""
        words = array.array("Q")
        words.frombytes(self.raw(mode, n))
        return words.tolist()

    def verify(self):
        """Fails unless malloc() is that of the library. The dynamic linker
        goes on without a library that it cannot load."""
        file = pathlib.Path(self.raw("who").decode()).resolve()
        wanted = self.allocator.path
        if file != wanted and (wanted or not file.name.startswith("libc.")):
            raise ProbeError(f"{self.allocator.name}: malloc() is in {file}")
