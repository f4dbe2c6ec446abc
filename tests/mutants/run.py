#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plants mistakes into a copy of the tree: the tests must find each of them.

    run.py --out folder [part of a name]

A mistake is found if the case that is meant for it fails, or does not end in
time, in the guest that has the mistake; the case passes without it. Cases are
run on two CPUs with a host thread each. What another CPU has to do within a
few hundred instructions it may miss on a busy host: a mistake that survives is
booted again, a few times.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import boot  # noqa: E402  pylint: disable=wrong-import-position
import entropy  # noqa: E402  pylint: disable=wrong-import-position
import qemu  # noqa: E402  pylint: disable=wrong-import-position
import tlb   # noqa: E402  pylint: disable=wrong-import-position

PARTS = ("lib", "plat", "include", "bench", "tests", "Makefile",
         "Makefile.uk", "Config.uk")
TIMEOUT_S = 120   # of what passes
PATIENCE_S = 10   # of what may hang
TRIES = 5         # boots until a mistake counts as not found
CRIME_STATUS = 99


class Tree:
    """A copy that mistakes are planted into."""

    def __init__(self, folder, config):
        self.root = folder / "tree"
        self.out = folder / "build"
        shutil.rmtree(folder, ignore_errors=True)
        self.root.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, self.root / part)
        self.out.mkdir()
        shutil.copy2(config, self.out / ".config")
        self.make("olddefconfig")

    def make(self, goal):
        """Runs make in the copy."""
        env = {name: value for name, value in os.environ.items()
               if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        run = subprocess.run(
            ["make", "-s", "-C", self.root, f"O={self.out}", goal],
            text=True, check=False, env=env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if run.returncode:
            raise RuntimeError(f"does not build:\n{run.stdout}")

    def build(self):
        """The image of the test program."""
        image = self.out / "guest/test.elf"
        image.unlink(missing_ok=True)
        self.make(image)
        return image

    def change(self, change, back=False):
        """Plants a mistake, or takes it back."""
        path = self.root / change.path
        old, new = (change.new, change.old) if back else \
            (change.old, change.new)
        text = path.read_text()
        if not back and text.count(old) != 1:
            raise RuntimeError(f"{change.path} has {text.count(old)} times:\n"
                               f"{old}")
        if back:
            shutil.copy2(ROOT / change.path, path)
            os.utime(path)
        else:
            path.write_text(text.replace(old, new))


def run_case(image, mutant, timeout):
    """Whether the case passes."""
    outcome = qemu.boot(qemu.Guest(str(image), smp="2", mem=256,
                                   append=mutant.command_line(),
                                   timeout=timeout))
    wanted = CRIME_STATUS if mutant.words.startswith("crime=") else 0
    return outcome.status == wanted, outcome


def why(outcome):
    """How the mistake showed."""
    bad = [line for line in outcome.lines
           if line.startswith("not ok") or "BUG" in line or "FAULT" in line]
    return bad[0] if bad else qemu.reason(outcome.status)


def hunt(tree, mutant):
    """None if the mistake is found, else the reason why not."""
    for change in mutant.changes:
        tree.change(change)
    tries = TRIES
    try:
        image = tree.build()
        passed = True
        while passed and tries:
            passed, outcome = run_case(image, mutant, PATIENCE_S)
            tries -= 1
    finally:
        for change in mutant.changes:
            tree.change(change, back=True)
    if not passed:
        print(f"ok {mutant.name}: {why(outcome)}", flush=True)
    return passed


def main():
    """Runs all cases without mistakes, then each mistake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("filter", nargs="?", default="")
    args = parser.parse_args()

    tree = Tree((args.out / "mutants").resolve(), args.out / ".config")
    mutants = [mutant for mutant in (*boot.MUTANTS, *tlb.MUTANTS,
                                     *entropy.MUTANTS)
               if args.filter in mutant.name]
    image = tree.build()
    failed = passed = 0
    for case in {mutant.words: mutant for mutant in mutants}.values():
        good, outcome = run_case(image, case, TIMEOUT_S)
        print(f"{'ok' if good else 'not ok'} {case.words} without a mistake"
              f"{'' if good else ': ' + why(outcome)}", flush=True)
        passed += good
        failed += not good
    for mutant in mutants:
        try:
            survived = hunt(tree, mutant)
            text = "survives"
        except RuntimeError as err:
            survived, text = True, str(err)
        if survived:
            print(f"not ok {mutant.name}: {text}", flush=True)
        passed += not survived
        failed += survived
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return int(failed > 0 or not mutants)


if __name__ == "__main__":
    sys.exit(main())
