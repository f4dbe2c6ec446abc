# SPDX-License-Identifier: BSD-3-Clause
"""Boots an image many times and keeps where everything was.

A boot is {"profile": name or None, "places": {name: [base, length]}}. Names
are those of the guest's memory map; several places of one name get numbers.
"""
import collections
import concurrent.futures
import json
import pathlib
import sys

import qemu

MACHINE = "microvm"
CPUS = "2"
MEM = 128  # MiB
PROGRESS = 50  # boots
LAST_WORDS = 20  # lines


def records(lines):
    """The JSON objects among the lines of a console."""
    for line in lines:
        if line.startswith("{"):
            yield json.loads(line)


def numbered(rows):
    """{name: [base, length]}, numbers behind names that occur twice."""
    total = collections.Counter(name for name, *_ in rows)
    seen, places = collections.Counter(), {}
    for name, base, length in rows:
        seen[name] += 1
        if total[name] > 1:
            name = f"{name} {seen[name]}"
        places[name] = [base, length]
    return places


def parse(lines):
    """One boot, from the lines of its console."""
    rows, profile = [], None
    for record in records(lines):
        if record.get("type") == "map":
            rows.append((record["name"], int(record["base"], 16),
                         record["len"]))
        elif record.get("type") == "boot":
            profile = record.get("profile")
    return {"profile": profile, "places": numbered(rows)}


def boot(image):
    """Boots once."""
    outcome = qemu.boot(qemu.Guest(image, smp=CPUS, machine=MACHINE, mem=MEM,
                                   append="mode=map"))
    if outcome.status:
        raise RuntimeError(f"{image}: {qemu.reason(outcome.status)}:\n" +
                           "\n".join(outcome.lines[-LAST_WORDS:]))
    found = parse(outcome.lines)
    if not found["places"]:
        raise RuntimeError(f"{image}: prints no memory map")
    return found


def boots(image, count, jobs):
    """Boots count times; the list is in the order of the starts."""
    found = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for each in pool.map(boot, [image] * count):
            found.append(each)
            if len(found) % PROGRESS == 0:
                print(f"  {len(found)} boots", file=sys.stderr, flush=True)
    return found


def save(path, found):
    """Keeps boots in a file, a line each."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in found))


def load(path):
    """Boots from a file that save() wrote."""
    return [json.loads(line)
            for line in pathlib.Path(path).read_text().splitlines()]


def series(found):
    """{name: [bases], in the order of the boots}, and names that are not in
    every boot."""
    names = dict.fromkeys(name for each in found for name in each["places"])
    complete = {name: [each["places"][name][0] for each in found]
                for name in names
                if all(name in each["places"] for each in found)}
    return complete, [name for name in names if name not in complete]
