# SPDX-License-Identifier: BSD-3-Clause
"""Engines that count the instructions of a program, thread by thread.

  valgrind  exp-bbv: exact and fast; has 16 TiB of address space only, and its
            processor lacks what is newer than AVX2
  qemu      our plug-in for QEMU's user emulation: all of the address space,
            but slow and large where an allocator reserves TiB
  step      single steps: no assumption at all, 100 times as slow; workloads
            of insn.c only

Repeated string instructions count once with valgrind and step, once per
repetition with qemu.
"""
import json
import re
import shutil
import subprocess

import hostbench_run

THREAD = re.compile(r"# Thread (\d+)\n.*?Total instructions: (\d+)", re.S)
TIMEOUT_S = 600


class CannotCount(Exception):
    """This engine does not work for this allocator or program."""


def run(words, folder, env):
    """Runs a command that has to succeed."""
    try:
        done = subprocess.run(words, cwd=folder, env=env, check=False,
                              timeout=TIMEOUT_S, capture_output=True,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise CannotCount(f"no end in {TIMEOUT_S} s") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").split("\n")
        last = next((line for line in words if line.strip()), "")
        raise CannotCount(f"status {done.returncode} {last[:80]}".strip())
    return done


class Engine:
    """What the engines share."""

    fast = True      # two runs and their difference are affordable
    programs = True  # can count any program

    def __init__(self, runner):
        self.runner = runner
        self.file = runner.scratch / "counts"

    def command(self, alloc, words):
        """The command line around a program."""
        raise NotImplementedError

    def read(self, text):
        """Counts by thread from what the engine wrote."""
        raise NotImplementedError

    def preload(self, alloc):
        """Environment that loads the allocator."""
        return {"LD_PRELOAD": str(alloc.path)}

    def count(self, alloc, words, folder=None, env=None):
        """Instructions of each thread of a program, from start to end."""
        folder = folder or self.runner.scratch
        self.file.unlink(missing_ok=True)
        program = self.runner.program(words[0])
        program = shutil.which(program) or program
        run(self.command(alloc, [program, *map(str, words[1:])]), folder,
            {**hostbench_run.environment(folder, env or {}),
             **self.preload(alloc)})
        counts = self.read(self.file.read_text()) if self.file.exists() \
            else []
        if not counts:
            raise CannotCount("the counter has written nothing")
        return counts


class Valgrind(Engine):
    """exp-bbv of valgrind."""

    name = "valgrind"

    def command(self, alloc, words):
        # Profiles, one file a thread, are not what is wanted: kept short
        return ["valgrind", "--tool=exp-bbv", "--interval-size=2000000000",
                f"--bb-out-file={self.file}.bb", f"--log-file={self.file}",
                *words]

    def read(self, text):
        text = re.sub(r"^==\d+== ?", "", text, flags=re.M)
        return [int(count) for _, count in
                sorted((int(n), c) for n, c in THREAD.findall(text))]


class Qemu(Engine):
    """User emulation with bench/host/qemu_count.c."""

    name = "qemu"

    def command(self, alloc, words):
        plugin = self.runner.programs / "libqemu_count.so"
        return ["qemu-x86_64", "-cpu", "max,-erms",
                "-plugin", f"{plugin},out={self.file}",
                "-E", f"LD_PRELOAD={alloc.path}", *words]

    def preload(self, alloc):
        return {}

    def read(self, text):
        return [int(line) for line in text.split()]


class Step(Engine):
    """insn.c steps through itself."""

    name = "step"
    fast = False
    programs = False

    def command(self, alloc, words):
        return words

    def sides(self, alloc, words, count):
        """Instructions of each side after the warm-up."""
        counts = []
        for side in range(count):
            done = run([self.runner.program(words[0]), "-s", str(side),
                        *words[1:]], self.runner.scratch,
                       {**hostbench_run.environment(
                           self.runner.scratch, {}), **self.preload(alloc)})
            counts.append(json.loads(done.stdout)["instructions"])
        return counts

    def count(self, alloc, words, folder=None, env=None):
        return self.sides(alloc, words, 1)


def engines(options, runner):
    """Those that are installed, in the order of preference."""
    found = []
    for kind, program in ((Valgrind, "valgrind"), (Qemu, "qemu-x86_64"),
                          (Step, None)):
        if (not program or shutil.which(program)) and \
                options.engine in ("auto", kind.name):
            found.append(kind(runner))
    if not found:
        raise SystemExit(f"engine {options.engine} is not installed")
    if options.check and not any(not engine.fast for engine in found):
        found.append(Step(runner))
    return found
