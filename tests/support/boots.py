#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots the benchmark image and compares what must, or must not, repeat.

    boots.py image

Two boots of the same machine: every address of the printed memory map
differs. Two boots in exact mode with a fixed seed: every figure is the same.
"""
import sys

import aslr_boot
import qemu

MACHINES = ("pc", "q35", "microvm")
EXACT = "mode=exact debugseed quick only=pair,mixed,larson,grow"


def records(image, kind, **options):
    """JSON lines of one kind that a boot prints."""
    outcome = qemu.boot(qemu.Guest(image, mem=256, **options))
    if outcome.status:
        raise RuntimeError(f"the guest ended with {outcome.status}:\n" +
                           "\n".join(outcome.lines[-20:]))
    return [row for row in aslr_boot.records(outcome.lines)
            if row.get("type") == kind]


def compare_maps(image, machine):
    """Names of what is at the same address in two boots, or why not."""
    first, second = (
        records(image, "map", smp="4", machine=machine, append="mode=map")
        for _ in range(2))
    if len(first) < 100 or \
            sorted(r["name"] for r in first) != \
            sorted(r["name"] for r in second):
        return f"{len(first)} and {len(second)} entries"
    bases = {row["base"] for row in first}
    same = [row["name"] for row in second if row["base"] in bases]
    return "same address: " + ", ".join(same) if same else None


def compare_figures(image):
    """Figures that differ between two boots in exact mode."""
    first, second = (records(image, "bench", exact=True, timeout=300,
                             append=EXACT) for _ in range(2))
    if not first:
        return "no figures"
    return None if first == second else "figures differ"


def main():
    """Compares and tells."""
    image = sys.argv[1]
    checks = {f"every address differs on {machine}":
              lambda m=machine: compare_maps(image, m)
              for machine in MACHINES}
    checks["exact figures repeat"] = lambda: compare_figures(image)
    failed = 0
    for name, check in checks.items():
        try:
            why = check()
        except RuntimeError as err:
            why = str(err)
        print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)
        failed += bool(why)
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
