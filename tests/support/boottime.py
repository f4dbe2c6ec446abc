#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How long do images take from their first instruction to main()?

    boottime.py [--boots 41] [--exact] [--bound name=10]... name=path ...

Boots the images one after the other, again and again, so that a busy host
slows all of them down, and compares what the guest's own clock says. A bound
is by how many ms the median of an image may be above that of the first one.
With --exact the clock counts instructions, a million of them a millisecond.
The guest prints {"type":"boot","us":...,"profile":...}.
"""
import argparse
import dataclasses
import json
import pathlib
import statistics
import sys

import aslr_boot
import qemu

LAST_WORDS = 20  # lines


@dataclasses.dataclass
class Image:
    """An image and its times, in microseconds."""

    name: str
    path: str
    times: list = dataclasses.field(default_factory=list)
    profiles: set = dataclasses.field(default_factory=set)

    @property
    def median(self):
        """In ms."""
        return statistics.median(self.times) / 1000

    @property
    def quartiles(self):
        """Lower and upper one, in ms."""
        if len(self.times) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.times, method="inclusive")
        return low / 1000, high / 1000


def boot_record(lines):
    """The one record of a boot among the lines of a console."""
    found = [record for record in aslr_boot.records(lines)
             if record.get("type") == "boot"]
    if len(found) != 1:
        raise RuntimeError(f"prints {len(found)} boot times, not one")
    time = found[0].get("us")
    if not isinstance(time, int) or time <= 0:
        raise RuntimeError(f"prints a boot time of {time!r} us")
    return found[0]


def boot(image, args):
    """Boots once and takes note."""
    outcome = qemu.boot(qemu.Guest(
        image.path, smp=str(args.smp), machine=args.machine, mem=args.mem,
        exact=args.exact,
        qemu=args.qemu, append="mode=map"))
    try:
        if outcome.status:
            raise RuntimeError(f"{qemu.reason(outcome.status)}:\n" +
                               "\n".join(outcome.lines[-LAST_WORDS:]))
        record = boot_record(outcome.lines)
    except RuntimeError as error:
        raise RuntimeError(f"{image.name}: {error}") from None
    image.times.append(record["us"])
    image.profiles.add(record.get("profile") or "-")


def table(images):
    """Lines, with the difference to the first image."""
    yield (f"{'ms to main()':<16}{'profile':<12}{'boots':>6}{'median':>9}"
           f"{'quartiles':>18}{'least':>9}{'most':>9}{'above':>9}")
    for image in images:
        low, high = image.quartiles
        above = image.median - images[0].median
        yield (f"{image.name:<16}{'/'.join(sorted(image.profiles)):<12}"
               f"{len(image.times):>6}{image.median:>9.2f}"
               f"{f'{low:.2f} to {high:.2f}':>18}"
               f"{min(image.times) / 1000:>9.2f}"
               f"{max(image.times) / 1000:>9.2f}{above:>+9.2f}")


def judge(images, bounds):
    """What takes too long."""
    for image in images:
        above = image.median - images[0].median
        if image.name in bounds and above > bounds[image.name]:
            yield (f"{image.name}: {above:.2f} ms above {images[0].name}, "
                   f"at most {bounds[image.name]:g} are allowed")


def pair_of(text):
    """(name, value) of name=value."""
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    return name, value


def bound_of(text):
    """(name, ms)."""
    name, value = pair_of(text)
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no number of ms") from None


def arguments(words=None):
    """(options, images, {name: bound})."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="+", type=pair_of,
                        metavar="name=path")
    parser.add_argument("--boots", type=int, default=41)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--bound", type=bound_of, action="append",
                        default=[])
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--machine", default="microvm")
    parser.add_argument("--mem", type=int, default=128, help="MiB")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--json", help="write the times as JSON lines")
    args = parser.parse_args(words)
    names = [name for name, _ in args.images]
    if args.boots < 1 or len(set(names)) < len(names):
        parser.error("at least one boot, and names that differ, please")
    for name, _ in args.bound:
        if name not in names:
            parser.error(f"there is no image {name} for the bound")
    return args, [Image(*pair) for pair in args.images], dict(args.bound)


def save(path, images):
    """Writes JSON lines, an image each."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(
        {"type": "boottime", "name": image.name, "us": image.times,
         "profiles": sorted(image.profiles), "median_ms": image.median}) +
        "\n" for image in images))


def main():
    """Boots, compares, tells."""
    args, images, bounds = arguments()
    try:
        for _ in range(args.boots):
            for image in images:
                boot(image, args)
        if args.json:
            save(args.json, images)
    except (OSError, RuntimeError) as error:
        print(f"boottime: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(images)))
    late = list(judge(images, bounds))
    for text in late:
        print(f"not ok {text}")
    print(f"{len(images) - len(late)} passed, {len(late)} failed, 0 skipped")
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main())
