# SPDX-License-Identifier: BSD-3-Clause
"""Memory: of processes that do nothing, and after most objects were freed."""
import hostbench_run
import hostbench_table as table

# Name, words: the peak of resident memory is reported
PROCESSES = (
    ("/bin/true", ["/bin/true"]),
    ("empty", ["empty"]),
    ("one malloc", ["empty", "1"]),
    ("1000 mallocs", ["empty", "1000"]),
)
# Name, least and most bytes of an object
RANGES = (("16 B - 2 KiB", 16, 2048), ("16 B - 64 KiB", 16, 65536),
          ("16 B - 1 MiB", 16, 1 << 20))
FREED = 90  # percent


def peak(options, runner, alloc, words):
    """Median of peak and private memory of a process, KiB; None: failed."""
    peaks, private = [], []
    for _ in range(options.reps):
        result = runner.run(alloc, words)
        if result["status"]:
            return None, None
        peaks.append(result["rss_kib"])
        if words[0] == "empty":
            private.append(hostbench_run.result_of(result)["private_kib"])
    return table.median(peaks), table.median(private)


def processes(options, runner, allocs, out):
    """Table of processes that do nothing."""
    print("\nProcesses that do nothing: peak RSS / private memory at the end, "
          "KiB\n" + table.head("process", [a.name for a in allocs]))
    failures = []
    for name, words in PROCESSES:
        cells = []
        for alloc in allocs:
            rss, private = peak(options, runner, alloc, words)
            if rss is None:
                failures.append((name, alloc.name, "failed"))
            cells.append("-" if rss is None else f"{rss:.0f}" + (
                f"/{private:.0f}" if private is not None else ""))
            out({"type": "process", "process": name, "alloc": alloc.name,
                 "rss_kib": rss, "private_kib": private})
        print(table.row(name, cells), flush=True)
    return failures


def fragment(options, runner, allocs, out, kind):
    """Table of one range of sizes after most objects were freed."""
    name, least, most = kind
    print(f"\n{options.mib} MiB of objects of {name}, {FREED} % of them freed"
          " at random: resident bytes for each live byte")
    columns = ["full", "freed", "purged", "pages", "/ pages"]
    print(table.head("allocator", columns) + "  purged by")
    failures = []
    for alloc in allocs:
        result = runner.run(alloc, ["fragment", options.mib, FREED, least,
                                    most])
        if result["status"]:
            failures.append((f"fragment {name}", alloc.name,
                             f"status {result['status']}"))
            continue
        found = hostbench_run.result_of(result)
        live = found["live"]
        cells = [f"{found[key] / live:.2f}" for key in
                 ("full", "before", "after", "pages")]
        cells.append(f"{found['after'] / found['pages']:.2f}")
        print(table.row(alloc.name, cells) + f"  {found['purge']}",
              flush=True)
        out({"type": "fragment", "sizes": [least, most], "freed": FREED,
             "alloc": alloc.name, "ratio": found["after"] / live, **found})
    return failures


def run(options, runner, allocs, out):
    """make bench-memory"""
    failures = processes(options, runner, allocs, out)
    for kind in RANGES:
        failures += fragment(options, runner, allocs, out, kind)
    print("\nfull: before freeing; pages: those with live bytes, below which "
          "no allocator\ngets that does not move objects")
    return failures
