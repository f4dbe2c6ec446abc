#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark of the guest as one page: OUT/report/index.html.

    benchpage.py [--out build] [results.jsonl]

The page has its pictures in itself, needs neither a network nor a script, and
fits a phone and a desktop, light and dark. The pictures are beside it, as SVG
and PNG. Results of make bench-shootdown and make bootstat are drawn if they
are there. What cannot be drawn is named with the command that measures it.
"""
import argparse
import json
import pathlib
import sys
from html import escape

import benchguest_data as data
import benchpage_places as places
import benchpage_plots as plots
import benchpage_tables as tables
import benchpage_words as words

TEMPLATE = pathlib.Path(__file__).with_suffix(".html")
MARK = "<!-- body -->\n"
GUEST, STOPS, BITS = "make bench-guest", "make bench-shootdown", \
    "make bootstat"

# (name, source, heading, drawn by, how to read it, what it shows, command)
FIGURES = (
    ("cost", "guest", "Cost by size", plots.cost,
     "How many instructions one malloc and one free take together, for "
     "objects of each size; means over three orders of freeing. Lower is "
     "better; both axes are logarithmic.", words.cost, GUEST),
    ("worst", "guest", "The worst case", plots.worst,
     "Half of all calls of malloc or free take at most what stands at the "
     "left, 99 % and 99.9 % what follows (means over the workloads); the last "
     "point is the longest call that was seen. A line that stays low promises "
     "an answer in time.",
     words.worst, GUEST),
    ("scaling", "guest", "One to eight CPUs, exact", plots.exact_scaling,
     "Instructions of all CPUs for one operation when each CPU uses objects "
     "of its own, relative to one CPU. A flat line means that CPUs do not "
     "disturb each other; the dotted line is the bound.", words.scaling,
     GUEST),
    ("throughput", "guest", "One to eight CPUs, measured", plots.throughput,
     "Operations a second, relative to one CPU; the bars reach from the "
     "slowest to the fastest repetition. These are times of one machine: "
     "with more CPUs than it has, they say that it works, not how fast.",
     words.throughput, GUEST),
    ("memory", "guest", "Memory", plots.memory,
     "Bytes that an allocator had mapped at most for each byte that the "
     "program had in use at most. 1 would be no waste.", words.memory,
     GUEST),
    ("shootdown", "stops", "Taking a page away from all CPUs", places.stops,
     "Each CPU remembers where pages are. When a page is taken away all of "
     "them must forget it, which interrupts them. A line is a way to do so; "
     "lower is better.", words.stops, STOPS),
    ("map", "guest", "Where everything is", places.heap_map,
     "Each mark is a region of memory, in a row by its kind; the colours are "
     "two boots of one image. An attacker who knows the image must guess.",
     words.heap_map, GUEST),
    ("entropy", "bits", "How hard a guess is", places.entropy,
     "Bits of randomness of each kind of region, the least random of each. "
     "One bit more halves the chance of a guess.", words.entropy, BITS),
)

ABOUT = """<h1>ukallocrnd in a unikernel: what it costs, what it gains</h1>
<section><p>A memory allocator hands pieces of memory to a program. ukallocrnd
places them at random and checks every return, so that mistakes in a program
are found and hard to abuse; this costs instructions and memory. Here it runs
in a small guest without an operating system, in the emulator QEMU, beside
allocators that protect less or nothing. {}</p>
<p class="soft">Instructions are counted, not timed: they are the same in every
run and on every machine. To repeat them: <code>make bench-guest</code>, then
<code>make report</code>. {} Whoever measures this commit gets exact lines with
the SHA-256 <code class="long">{}</code>.</p></section>
"""


def about(rows, header):
    """First paragraph, and what was measured."""
    made = (f"Commit {header['commit']}"
            f"{' with changes' if header.get('dirty') else ''}, "
            f"{header['qemu']}, Debian {header.get('debian', 'unknown')}, "
            f"{header.get('date', '')}"
            f"{', a quick run' if header.get('quick') else ''}.")
    return ABOUT.format(escape(words.in_short(rows)), escape(made),
                        data.fingerprint(rows))


def figure(entry, sources, folder):
    """One picture with its sentences, or what it lacks."""
    name, source, heading, draw, read, shows, command = entry
    rows = sources[source]
    svg = draw(folder, rows, heading) if rows else None
    if not svg:
        for kind in ("svg", "png"):
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
        return (f"<figure><h2>{heading}</h2><p>Not measured yet: these "
                f"results lack what is drawn here; <code>{command}</code> "
                "measures it.</p></figure>")
    return (f'<figure id="plot-{name}"><h2>{heading}</h2>{svg}<figcaption>'
            f"<p>{escape(read)}</p><p><b>{escape(shows(rows))}</b></p>"
            "</figcaption></figure>")


def optional(path):
    """Rows of a file of another command, none without it."""
    return [json.loads(line) for line in path.read_text().splitlines()] \
        if path.exists() else []


def write(folder, header, rows, stops=(), bits=()):
    """Writes page and pictures; path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = {"guest": rows, "stops": stops, "bits": bits}
    body = about(rows, header) + tables.allocators(rows) + \
        tables.promises(rows) + tables.synchronised(rows) + \
        '<div class="plots">\n' + \
        "\n".join(figure(entry, sources, folder) for entry in FIGURES) + \
        "\n</div>\n" + tables.every(rows)
    page = folder / "index.html"
    page.write_text(TEMPLATE.read_text().replace(MARK, body))
    return page


def main():
    """Reads and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("results", nargs="?", type=pathlib.Path)
    args = parser.parse_args()
    path = args.results or args.out / "benchguest/results.jsonl"
    if not path.exists():
        sys.exit(f"report: {path} is missing: `{GUEST}` makes it")
    try:
        header, rows = data.read(path)
    except data.Damaged as error:
        sys.exit(f"report: {error}")
    print(write(args.out / "report", header, rows,
                optional(args.out / "bench/shootdown.jsonl"),
                optional(args.out / "aslr/bits.jsonl")))


if __name__ == "__main__":
    main()
