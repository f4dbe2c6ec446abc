# SPDX-License-Identifier: BSD-3-Clause
"""Results that are made up, for tests: every field, every mode.

The figures follow simple rules, so that a test knows what must come out: an
allocator's instructions are its number below for every workload and size.
"""
import benchguest_data as data

INSN = {"ukallocrnd-fast": 60, "ukallocrnd": 150, "ukallocrnd-strong": 400,
        "mimalloc": 100, "mimalloc-secure": 180, "buddy": 320, "floor": 50}
MAPPED = {"buddy": 1 << 25}
LOCKED = {"buddy": 2, "ukallocrnd-strong": 0.25}  # of one operation
SIZES = (16, 64, 256, 1024, 8192, 65536, 1 << 20)
WORKLOADS = ("pair", "lifo", "fifo", "random")
SMP = (1, 2, 4, 8)
LIVE = 1 << 20
START = 1 << 19
KINDS = {"heap:slots of 64": 0x12ab45678000, "mapping": 0x7a1234567000,
         "image": 0xffffbcf755f1b000, "direct map": 0xffff888000000000,
         "boot stack": 0xffffc12345678000, "page tables": 0xfffff00000000000}


def header():
    """First line."""
    return {"type": "header", "commit": "c0ffee", "dirty": False,
            "config": {}, "qemu": "QEMU emulator version 7.2",
            "debian": "12.0", "machine": "q35", "quick": False,
            "host_cpus": 2, "date": "2026-01-01T00:00:00Z"}


def exact_row(alloc, name, size):
    """One exact result on one CPU."""
    insn = INSN[alloc]
    call = {"p50": insn / 2, "p99": insn, "p999": 4 * insn, "max": 90 * insn}
    return {"type": "bench", "mode": "exact", "name": name, "size": size,
            "cpus": 1, "alloc": alloc, "unit": data.COUNTED,
            "value": insn, "ops": 8192, "malloc": call,
            "free": dict(call), "slow_permille": 3, "slow_mean": 9 * insn,
            "live_peak": LIVE, "live_objects": 1000, "mapped_start": START,
            "mapped_peak": MAPPED.get(alloc, LIVE + LIVE // 4),
            "faults": 0, "invalidations": 1, "ipis": 0, "live": 100,
            **events_of(alloc)}


def events_of(alloc):
    """What the plug-in counts."""
    locked = LOCKED.get(alloc, 0)
    return {"locked": locked, "irqflag": 2.0 * locked}


def shared_row(alloc, name, cpus):
    """One exact result of all CPUs together."""
    return {"type": "bench", "mode": "exact", "name": name, "size": 64,
            "cpus": cpus, "alloc": alloc, "unit": data.COUNTED_ALL,
            "value": INSN[alloc] + cpus, "ops": 8192, "ipis": 0, "live": 100,
            **events_of(alloc)}


def parallel_row(alloc, cpus):
    """One result of the parallel mode."""
    value = 10 ** 9 // INSN[alloc] * min(cpus, 2)
    return {"type": "bench", "mode": "parallel", "name": "pair", "size": 64,
            "cpus": cpus, "alloc": alloc, "unit": "ops/s", "value": value,
            "min": value * 9 // 10, "max": value * 11 // 10, "reps": 5}


def rows():
    """All rows but the header, anew at each call."""
    found = [exact_row(alloc, name, size) for name in WORKLOADS
             for size in SIZES for alloc in INSN]
    found += [shared_row(alloc, name, cpus) for cpus in SMP
              for name in ("pair", "larson") for alloc in INSN]
    found += [parallel_row(alloc, cpus) for cpus in SMP for alloc in INSN]
    return found + [{"type": "map", "mode": "map", "name": name,
                     "base": hex(base + (boot << 33)), "len": 1 << 30,
                     "boot": boot} for boot in range(2)
                    for name, base in KINDS.items()]


def plain_rows():
    """Rows as a guest prints them that has but one figure a row."""
    kept = ("type", "mode", "name", "size", "cpus", "alloc", "unit", "value",
            "ops", "min", "max", "reps")
    return [{name: row[name] for name in kept if name in row}
            for row in rows() if row["type"] == "bench" and
            row["cpus"] == 1 and row["unit"] != data.COUNTED_ALL]


def shootdown():
    """Rows of shootdown.py."""
    return [{"type": "shootdown", "policy": policy, "cpus": cpus,
             "active": cpus, "ops": 1000, "pages": 1000,
             "insn": insn + rise * cpus, "ipis": 1}
            for policy, insn, rise in (("each page, every CPU", 30, 90),
                                       ("generations", 33, 0.2),
                                       ("malloc, free of 64 bytes", 200, 0))
            for cpus in SMP]


def bits():
    """Rows of bootstat.py."""
    return [{"type": "region", "name": name, "kind": kind, "group": name,
             "bits": bits, "need": need, "left": bits - 1}
            for name, kind, bits, need in (
                ("heap:slots of 64", "heap", 35.0, 34),
                ("heap:slots of 96", "heap", 34.6, 34),
                ("image", "image", 34.9, 34),
                ("page tables", "tables", 26.5, 26))] + \
        [{"type": "verdict", "boots": 1000, "passed": 4, "failed": 0}]
