#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The whole benchmark of the guest, in each profile of the library.

    benchguest.py [--quick] [--allocs ukallocrnd,mimalloc] [--out build]

Builds bench.elf in the profiles FAST, BALANCED and STRONG, below
OUT/benchguest, without random order in the image, so that figures can be
repeated. Then each is booted: in exact mode with 1 CPU and with 8; in parallel
mode on up to 8, one profile after the other and again from the start; and some
times for the memory map. All results go to one file; the references are those
of the BALANCED image, the others are booted without. Exact boots run beside
each other: that changes nothing.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import sys
import time

import bench
import benchguest_data as data
import benchguest_events as events
import configs
import qemu

# With one CPU the guest is as simple as it gets; with several it counts what
# 1, 2, 4 and 8 of them execute together
EXACT_UNITS = {1: data.COUNTED, 8: data.COUNTED_ALL}
# MiB: what fills all memory ends sooner where there is less; references have
# 192 of them for themselves
MEM_ONE = MEM_MORE = 512
PARALLEL_SMP = 8
QUICK_SMP = 2  # of the parallel mode
QUICK_ONLY = " only=pair,mixed,threadtest,larson"  # on several CPUs
ROUNDS = 3  # boots in parallel mode of each image
MAP_BOOTS = 2
WORDS = {"exact": "mode=exact debugseed", "parallel": "mode=parallel",
         "map": "mode=map"}
SHOWN = 20  # last lines of a boot that failed
SPREAD = {"value": statistics.median, "min": min, "max": max, "reps": sum}


class Failed(Exception):
    """A build or a boot went wrong."""


def folder(out, profile):
    """Where a profile is built."""
    return pathlib.Path(out) / "benchguest" / profile.lower()


def image_of(out, profile):
    """Its image."""
    return folder(out, profile) / "guest/bench.elf"


def config_of(profile):
    """Options: the profile, the platform as it is, no shuffled image."""
    return configs.profile(profile, {"RANDOMIZE_BUILD": False})


def build(args, profile):
    """Builds one image."""
    out = folder(args.out, profile)
    error = configs.build(out, config_of(profile), args.cc,
                          [f"-j{args.jobs}", str(out / "guest/bench.elf")])
    if error:
        raise Failed(f"{profile}: {error}")


def profiles_of(args):
    """Profiles that are measured. References are in the image of BALANCED."""
    others = set(args.allocs) - set(data.OURS.values())
    return [profile for profile, name in data.OURS.items()
            if not args.allocs or name in args.allocs or
            (others and profile == "BALANCED")]


def words_of(args, profile):
    """Which allocators take part in boots of an image; they are ours by one
    name whatever the profile is."""
    ours = data.OURS["BALANCED"]
    if profile != "BALANCED":
        return f" alloc={ours}"
    own = [name for name in args.allocs if name == ours or
           name not in data.OURS.values()]
    return f" alloc={','.join(own)}" if own else ""


def own_row(row, profile):
    """A row of an image: ours by its profile."""
    return {**row, "alloc": data.OURS[profile]} \
        if row.get("alloc") == data.OURS["BALANCED"] else row


def own_rows(args, rows, profile):
    """Rows of an image. What needs no allocator is the same in all images, and
    counts in one: that with the references, or the first."""
    measured = profiles_of(args)
    first = "BALANCED" if "BALANCED" in measured else measured[0]
    return [own_row(row, profile) for row in rows
            if row.get("alloc") != data.NOBODY or profile == first]


def boot(args, image, mode, smp, more=""):
    """Rows that one boot prints."""
    memory = MEM_ONE if smp == 1 else MEM_MORE
    words = WORDS[mode] + (" quick" if args.quick else "") + \
        (QUICK_ONLY if args.quick and mode == "exact" and smp > 1 else "")
    what = f"{image}, {mode} mode, {smp} CPUs"
    with events.Counter(args.plugin if mode == "exact" else "") as counter:
        outcome = qemu.boot(qemu.Guest(
            str(image), smp=str(smp), machine=args.machine,
            exact=mode == "exact", mem=memory, append=words + more,
            timeout=args.timeout, qemu=args.qemu, plugin=counter.option))
        if outcome.status:
            raise Failed(f"{what}: {qemu.reason(outcome.status)}:\n" +
                         "\n".join(outcome.lines[-SHOWN:]))
        try:
            rows = counter.join([{**json.loads(line), "mode": mode}
                                 for line in outcome.lines
                                 if line.startswith("{")])
        except events.Wrong as error:
            raise Failed(f"{what}: {error}") from None
    wrong = list(data.impossible(rows, memory << 20))
    if wrong:
        raise Failed(f"{what}:\n" + "\n".join(wrong[:SHOWN]))
    return rows


def exact(args, profile, smp):
    """Exact results of one image; with several CPUs those of all together.
    What is missing or left out is said by the boot with one CPU."""
    rows = boot(args, image_of(args.out, profile), "exact", smp,
                words_of(args, profile))
    if any(row.get("unit", "").startswith("ticks") for row in rows):
        raise Failed(f"{profile}: QEMU does not count instructions")
    kinds = ("missing", "left-out") if smp == 1 else ()
    rows = own_rows(args, (
        row for row in rows if row["type"] in kinds or
        (row["type"] == "bench" and row["unit"] == EXACT_UNITS[smp])), profile)
    if smp == 1 and not data.results(rows, "exact"):
        raise Failed(f"{profile}: exact mode ended without a result")
    return rows


def parallel(args, profile):
    """Results of one boot in parallel mode."""
    rows = boot(args, image_of(args.out, profile), "parallel",
                QUICK_SMP if args.quick else PARALLEL_SMP,
                words_of(args, profile))
    return own_rows(args, data.results(rows, "parallel"), profile)


def merged(rounds):
    """Medians of the boots of one image; least and most of all of them."""
    found = {}
    for row in (row for rows in rounds for row in rows):
        found.setdefault(data.key(row), []).append(row)
    for rows in found.values():
        yield {**rows[0], **{name: fold(row[name] for row in rows)
                             for name, fold in SPREAD.items()
                             if name in rows[0]}}


def maps(args):
    """Memory maps of some boots, which are random."""
    for number in range(MAP_BOOTS):
        for row in boot(args, image_of(args.out, profiles_of(args)[0]), "map",
                        2):
            if row["type"] == "map":
                yield {**row, "boot": number}


def changed(one, other):
    """{option: value} of what differs from the first configuration."""
    return {name: other.get(name, "n") for name in sorted({*one, *other})
            if one.get(name) != other.get(name)}


def header(args):
    """First line of the file: what may differ between two machines."""
    version = pathlib.Path("/etc/debian_version")
    described = bench.commit()
    config = {profile: bench.options(folder(args.out, profile) / ".config")
              for profile in profiles_of(args)}
    base = config.get("BALANCED", next(iter(config.values())))
    return {"type": "header", "commit": described.rstrip("+"),
            "dirty": described.endswith("+"),
            "config": base, "profiles": {
                profile: changed(base, other)
                for profile, other in config.items()},
            "qemu": qemu.version(args.qemu),
            "debian": version.read_text().strip() if version.exists()
            else "none", "machine": args.machine, "quick": args.quick,
            "host_cpus": os.cpu_count(),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


class Progress:
    """Says what is done, with the time of each step."""

    def __init__(self, total):
        self.done, self.total = 0, total

    def step(self, name, function, *words):
        """Runs a step; what it returns, a generator as a list."""
        start = time.monotonic()
        found = function(*words)
        found = list(found) if found is not None else None
        self.done += 1
        print(f"[{self.done}/{self.total}] {name}: "
              f"{time.monotonic() - start:.1f} s", flush=True)
        return found


def shared_profiles(args):
    """Profiles that are measured on several CPUs. Each CPU more takes longer
    to emulate: a quick run has them for the default profile only."""
    return [profile for profile in profiles_of(args)
            if not args.quick or profile == "BALANCED"]


def exact_all(args, progress):
    """Exact results of all images, in the order of the plan whichever boot
    ends first."""
    plan = [(profile, smp) for smp in EXACT_UNITS
            for profile in (profiles_of(args) if smp == 1 else
                            shared_profiles(args))]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(progress.step, f"exact, {profile}, {smp} CPU"
                               f"{'s' * (smp > 1)}", exact, args, profile,
                               smp) for profile, smp in plan]
        for future in waiting:
            yield from future.result()


def parallel_all(args, progress):
    """Results of the parallel mode; rounds go through all images."""
    timed = shared_profiles(args)
    found = {profile: [] for profile in timed}
    for number in range(1 if args.quick else ROUNDS):
        for profile in timed:
            found[profile].append(progress.step(
                f"parallel, {profile}, round {number + 1}", parallel, args,
                profile))
    for boots in found.values():
        yield from merged(boots)


def measure(args):
    """All rows of the file."""
    rounds = 1 if args.quick else ROUNDS
    progress = Progress(2 * len(profiles_of(args)) + 1 +
                        (1 + rounds) * len(shared_profiles(args)))
    for profile in profiles_of(args):
        progress.step(f"build {profile}", build, args, profile)
    return [header(args), *exact_all(args, progress),
            *parallel_all(args, progress),
            *progress.step("memory maps", maps, args)]


def names(text):
    """Names of allocators, separated by commas; each must exist."""
    found = [name for name in text.split(",") if name]
    for name in found:
        if name not in data.ORDER:
            raise argparse.ArgumentTypeError(
                f"{name} is no allocator; there are {', '.join(data.ORDER)}")
    return found


def parser_of(about):
    """Options that benchguest_check.py has, too."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--machine", default="q35")
    parser.add_argument("--timeout", type=int, default=3600)
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--plugin", default="",
                        help="of QEMU, that counts locked operations")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--allocs", type=names, default=[],
                        help="who takes part; default: all")
    return parser


def main():
    """Builds, boots, writes."""
    args = parser_of(__doc__).parse_args()
    reason = events.why_not(args.qemu, args.plugin)
    if reason:
        print("locked operations and changes of the interrupt flag are not "
              f"counted: {reason}")
        args.plugin = ""
    try:
        rows = measure(args)
    except Failed as error:
        sys.exit(f"bench-guest: {error}")
    path = args.out / "benchguest" / time.strftime(
        "results-%Y%m%d-%H%M%S.jsonl", time.gmtime())
    path.write_text(data.lines(rows))
    newest = path.parent / "results.jsonl"
    newest.unlink(missing_ok=True)
    newest.symlink_to(path.name)
    for row in rows:
        if row["type"] == "missing":
            print(f"{row['alloc']} is missing: `{row['get']}` gets it")
    print(f"\nExact results: SHA-256 {data.fingerprint(rows)}\nThe same on "
          "every machine, for this commit, configuration and QEMU.\n"
          f"Results: {path}\n`make report` draws them.")


if __name__ == "__main__":
    main()
