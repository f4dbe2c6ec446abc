#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the model of the TLB shootdown, tlb.pml, with spin.

    tlb.py --out build/tlb-model [PART OF A NAME]

Three kinds of tests: the protocol, in several small configurations; variants
that look like mistakes and are none; mistakes, each of which must be found,
by an assertion (memory is used again too early) or by a cycle that is fair to
all processes and in which a CPU waits for ever (progress).
"""
import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

MODEL = pathlib.Path(__file__).resolve().with_name("tlb.pml")
ASSERTION, PROGRESS = "assertion", "progress"
MEMORY_MIB = 900
TIMEOUT_S = 60
# Partial order reduction does not know `provided`
BUILD = ["-w", "-DNOREDUCE", "-DCOLLAPSE", "-DNFAIR=3", "-DNOSTUTTER",
         f"-DMEMLIM={MEMORY_MIB}"]
SEARCH = {ASSERTION: (["-DSAFETY"], []), PROGRESS: ([], ["-a", "-f"])}
DEPTH = "-m20000"
HASH_BITS = "-w20"
VERDICTS = {"assertion violated": ASSERTION, "acceptance cycle": PROGRESS,
            "invalid end state": "deadlock"}
STATES = re.compile(r"^ *(\d\S*) states, stored", re.M)
ERRORS = re.compile(r"errors: (\d+)$", re.M)
COMPLAINT = re.compile(r"^pan:\d+: (.*?)(?: \(at depth \d+\))?$", re.M)

# CPU 0 unmaps both pages in one batch, unless more is said
CONFIGS = {
    "compute": "CPU1=worker IRQ",
    "poll": "CPU1=poller IRQ ROUNDS=2",
    "idle": "CPU1=idler IRQ",
    "idle-timer": "CPU1=idler IRQ TIMER ROUNDS=2",
    "idle-nmi": "CPU1=idler IRQ TIMER NMI=1",
    "mutual": "CPU1=initiator PAGES0=1 PAGES1=2",
    "mutual-irq": "CPU1=initiator PAGES0=1 PAGES1=2 IRQ",
    "drain": "CPU0=unmapper CPU1=drainer",
    "start": "CPU1=starter STARTS=1 IRQ",
    "stop": "CPU1=stopper IRQ",
    "stuck": "CPU1=stuck IRQ NMI=1",
    "close-nmi": "CPU1=initiator PAGES0=1 PAGES1=2 NMI=1",
    "close-stuck": "CPU1=closer NMI=1",
    "drain-poll": "CPU0=unmapper CPU1=drainer NCPU=3 CPU2=poller NPAGE=1 "
                  "PAGES0=1",
    "three": "CPU1=worker NCPU=3 CPU2=idler IRQ NPAGE=1 PAGES0=1",
}
# Where a whole search for cycles would take minutes, only safety counts
SAFETY_ONLY = ("idle-timer", "idle-nmi", "close-nmi", "three")


@dataclasses.dataclass
class Test:
    """One search: kind is what is looked for, wanted what must be found."""

    name: str
    config: str
    kind: str
    change: str = ""
    wanted: str | None = None

    def defines(self):
        """Everything that the preprocessor is told; the last one counts."""
        words = dict(word.partition("=")[::2] for word in (
            "NCPU=2 NPAGE=2 PAGES0=3 CPU0=initiator " +
            CONFIGS[self.config] + " " + self.change).split())
        words.update({f"USE_{value}": "" for name, value in words.items()
                      if name.startswith("CPU")})
        return [f"-D{name}={value or 1}" for name, value in words.items()]


# What is no mistake, README.md says why: (change, configuration)
HARMLESS = (
    ("M_IDLE_EXIT_PLAIN", "idle-timer"),
    ("M_IDLE_BEFORE_ADD M_UNLINK_FLUSH", "idle-timer"),
    ("M_NMI_NO_MAX", "close-nmi"),
    ("M_NMI_NO_MAX", "close-stuck"),
    ("M_ACK_NO_MAX", "close-nmi"),
    ("M_ONE_NMI", "close-stuck"),
    ("M_CLOSE_PLAIN", "close-stuck"),
    ("M_UNLINK_FLUSH", "compute"),
    ("M_UNLINK_FLUSH", "mutual"),
)

# (change, configuration, what finds it)
MUTANTS = (
    ("M_NO_IPI", "compute", PROGRESS),
    ("M_NO_WAIT", "compute", ASSERTION),
    ("M_EARLY_REUSE", "compute", ASSERTION),
    ("M_GEN_FIRST", "poll", ASSERTION),
    ("M_FLUSH_FIRST", "compute", ASSERTION),
    ("M_NO_OWN_FLUSH", "compute", ASSERTION),
    ("M_SEEN_EARLY", "compute", ASSERTION),
    ("M_GEN_LATE", "poll", ASSERTION),
    ("M_IDLE_KEEPS", "idle-timer", ASSERTION),
    ("M_IDLE_ENTER_EARLY", "idle", ASSERTION),
    ("M_IDLE_EXIT_LATE", "idle-timer", ASSERTION),
    ("M_IDLE_GEN_LATE", "idle-timer", ASSERTION),
    ("M_IDLE_BEFORE_FLUSH", "idle-timer", ASSERTION),
    ("M_IDLE_BEFORE_ADD", "idle-timer", ASSERTION),
    ("M_IPI_CLEAR_LATE", "compute", PROGRESS),
    ("M_IPI_CLEAR_PLAIN", "compute", PROGRESS),
    ("M_DRAIN_SHORTCUT", "drain", ASSERTION),
    ("M_TABLE_WITH_DATA", "compute", ASSERTION),
    ("M_TABLE_SHORTCUT", "compute", ASSERTION),
    ("M_START_LATE", "start", ASSERTION),
    ("M_START_SYSTEM_ROOT", "start", ASSERTION),
    ("M_STOP_EARLY", "stop", ASSERTION),
    ("M_NMI_SYSTEM_ROOT", "idle-nmi", ASSERTION),
    ("M_NO_NMI", "stuck", PROGRESS),
    ("M_ONE_NMI M_CLOSE_PLAIN", "close-stuck", PROGRESS),
    ("M_NO_POLL", "mutual", PROGRESS),
)


def short(change):
    """Name of a change: no-ipi for M_NO_IPI."""
    return "+".join(word.removeprefix("M_").lower().replace("_", "-")
                    for word in change.split())


def kind(config):
    """The search for cycles finds false assertions as well."""
    return ASSERTION if config in SAFETY_ONLY else PROGRESS


def tests():
    """All of them."""
    for config in CONFIGS:
        yield Test(config, config, kind(config))
    for change, config in HARMLESS:
        yield Test(f"harmless {short(change)} in {config}", config,
                   kind(config), change)
    for change, config, wanted in MUTANTS:
        yield Test(f"mutant {short(change)}", config, wanted, change, wanted)


class Failed(Exception):
    """A search that did not come to its end, or to the wrong one."""


def command(words, folder):
    """Output of a command."""
    try:
        done = subprocess.run(words, cwd=folder, text=True, check=False,
                              stdout=subprocess.PIPE, timeout=TIMEOUT_S,
                              stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{words[0]}: no end after {TIMEOUT_S} s") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}:\n{done.stdout}")
    return done.stdout


def search(test, folder):
    """(number of states, what was found or None)."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(MODEL, folder)
    build, run = SEARCH[test.kind]
    build = [*build, "-O0" if test.wanted else "-O1"]  # mistakes are near
    command(["spin", "-a", *test.defines(), MODEL.name], folder)
    command(["gcc", *BUILD, *build, "-o", "pan", "pan.c"], folder)
    text = command(["./pan", "-n", DEPTH, HASH_BITS, *run], folder)
    (folder / "pan.txt").write_text(text)
    states, errors = STATES.search(text), ERRORS.search(text)
    if not states or not errors or "max search depth too small" in text:
        raise Failed(f"the search was not complete:\n{text}")
    if errors[1] == "0":
        return int(float(states[1])), None
    said = COMPLAINT.search(text)
    found = next((verdict for words, verdict in VERDICTS.items()
                  if said and words in said[1]), said and said[1])
    return int(float(states[1])), found


def judge(test, states, found):
    """The end of a line for a test that passed."""
    if found != test.wanted:
        raise Failed(f"found: {found}, expected: {test.wanted}")
    if found:
        return f"caught by {found}"
    return f"{states} states"


def how_to_read(test, folder):
    """The command that shows what happened."""
    return (f"    cd {folder} && spin -p -g -t {' '.join(test.defines())} "
            f"{MODEL.name}")


def main():
    """Runs the tests; last line as run.py wants it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("part", nargs="?", default="")
    options = parser.parse_args()
    if not shutil.which("spin"):
        print("tlb: spin is missing, install the Debian package spin")
        return 1
    counts = {True: 0, False: 0}
    for test in tests():
        if options.part not in test.name:
            continue
        folder = (options.out / re.sub(r"[ ()+]+", "-", test.name)).resolve()
        try:
            said = judge(test, *search(test, folder))
            print(f"ok {test.name}: {said}", flush=True)
            counts[True] += 1
        except Failed as error:
            print(f"not ok {test.name}: {error}\n"
                  f"{how_to_read(test, folder)}", flush=True)
            counts[False] += 1
    print(f"{counts[True]} passed, {counts[False]} failed, 0 skipped")
    return int(counts[False] > 0 or not counts[True])


if __name__ == "__main__":
    sys.exit(main())
