#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What policies of TLB shootdown cost: table, JSON lines, picture, limits.

    shootdown.py [--check] [--plot] --out folder image

Boots the benchmark image in exact mode with 1, 2, 4 and 8 CPUs. A figure is
what all CPUs together execute for one operation; those that are not active
sleep. With --check the figures of ukallocrnd are held against their limits.
"""
import argparse
import json
import pathlib
import sys

import qemu

SMP = (1, 2, 4, 8)
WORDS = "mode=shootdown debugseed"
MIB_PAGES = 256

OURS = "generations"
# What each CPU does on its own, through the interfaces
PRIVATE = (OURS, "page_map, lazy page_unmap", "malloc, free of 128 KiB",
           "malloc, free of 64 bytes")

# Instructions of an operation: peers asleep, four CPUs active
LIMIT_ASLEEP = 35
LIMIT_ACTIVE = 40
# Interrupts for each MiB that was unmapped
LIMIT_IPIS = 1
# Growth of what CPUs do on their own, from one CPU to eight
LIMIT_GROWTH = 1.10


def measure(args):
    """JSON objects of all boots."""
    rows = []
    for smp in SMP:
        print(f"  {smp} CPU{'s' * (smp > 1)} ...", file=sys.stderr,
              flush=True)
        outcome = qemu.boot(qemu.Guest(
            args.image, smp=str(smp), exact=True, append=WORDS,
            timeout=args.timeout, qemu=args.qemu))
        found = [json.loads(line) for line in outcome.lines
                 if line.startswith("{")]
        if outcome.status or not found:
            sys.exit("\n".join(outcome.lines[-20:]) +
                     f"\nshootdown: {qemu.reason(outcome.status)}")
        rows += found
    return rows


def key(row):
    """(active CPUs, CPUs) of a row."""
    return row["active"], row["cpus"]


def by_policy(rows):
    """{policy: {(active, cpus): row}} in the order of appearance."""
    found = {}
    for row in rows:
        found.setdefault(row["policy"], {})[key(row)] = row
    return found


def ipis_per_mib(row):
    """Interrupts for a MiB that was unmapped, None if nothing was."""
    return row["ipis"] * MIB_PAGES / row["pages"] if row["pages"] else None


def table(policies, columns, value, form):
    """Lines of one table."""
    heads = [f"{active} of {cpus}" for active, cpus in columns]
    lines = [f"{'':30}" + "".join(f"{head:>10}" for head in heads)]
    for name, cells in policies.items():
        values = [value(cells[column]) for column in columns]
        if any(cell is None for cell in values):
            continue
        lines.append(f"{name:30}" + "".join(
            f"{format(cell, form):>10}" for cell in values))
    return lines


def report(rows):
    """The tables."""
    policies = by_policy(rows)
    columns = sorted({key(row) for row in rows},
                     key=lambda pair: (pair[0] > 1, pair[1]))
    return "\n".join(
        ["Instructions of all CPUs for one operation (active CPUs of CPUs)",
         *table(policies, columns, lambda row: row["insn"], ".1f"), "",
         "Interrupts for each MiB that was unmapped",
         *table(policies, columns, ipis_per_mib, ".2f")])


def checks(rows):
    """(what must be true, value, limit)."""
    policies = by_policy(rows)
    for (active, cpus), row in policies[OURS].items():
        where = f"{active} of {cpus} CPUs active"
        limit = LIMIT_ASLEEP if active == 1 else LIMIT_ACTIVE
        yield f"instructions, {where}", row["insn"], limit
        yield (f"interrupts for a MiB, {where}", ipis_per_mib(row),
               0 if active == 1 else LIMIT_IPIS)
    for name in PRIVATE:
        cells = policies[name]
        for smp in SMP[1:]:
            yield (f"growth of {name} to {smp} CPUs",
                   cells[smp, smp]["insn"] / cells[1, 1]["insn"],
                   LIMIT_GROWTH)
        if name != PRIVATE[-1]:
            yield (f"interrupts for a MiB, {name}, {SMP[-1]} CPUs",
                   ipis_per_mib(cells[SMP[-1], SMP[-1]]), LIMIT_IPIS)


def check(rows):
    """Prints each check; returns how many failed."""
    failed = passed = 0
    for name, value, limit in checks(rows):
        good = value <= limit
        print(f"{'ok' if good else 'not ok'} {name}: {value:.2f}, "
              f"limit {limit:g}")
        passed += good
        failed += not good
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed


def plot(rows, folder):
    """Draws instructions by number of active CPUs, PNG and SVG."""
    import hostbench_plot  # pylint: disable=import-outside-toplevel

    figure, axes = hostbench_plot.pyplot().subplots(figsize=(8, 5))
    for name, cells in by_policy(rows).items():
        if name.startswith("malloc"):
            continue
        axes.plot(SMP, [cells[smp, smp]["insn"] for smp in SMP],
                  marker="o", label=name,
                  linewidth=3 if name == OURS else 1)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(SMP, [str(smp) for smp in SMP])
    axes.set_xlabel("active CPUs")
    axes.set_ylabel("instructions of all CPUs for one page")
    axes.grid(linewidth=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    hostbench_plot.save(figure, folder, "shootdown")


def main():
    """Measures and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--plot", action="store_true")
    parser.add_argument("--timeout", type=int, default=300)
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    args = parser.parse_args()

    rows = measure(args)
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "shootdown.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{report(rows)}\n\nResults: {path}")
    if args.plot:
        plot(rows, args.out)
    return int(args.check and check(rows) > 0)


if __name__ == "__main__":
    sys.exit(main())
