#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Draws the address spaces of many boots as one SVG, a row a boot.

    aslr_map.py [--boots 32] [--jobs 2] --out build/aslr.svg image
    aslr_map.py --read boots.jsonl --out build/aslr.svg

The axis has the 2^48 addresses of the processor, lower half and upper half;
the hole in between, which has no addresses, is left out. What would be
narrower than a line is drawn as one.
"""
import argparse
import pathlib
import sys
from xml.sax.saxutils import escape

import aslr_boot
import aslr_table as table

HALF = 1 << 47
STARTS = (0, (1 << 64) - HALF)  # of the halves
LEFT, RIGHT, TOP, GAP = 46, 16, 104, 44
HALF_W, ROW_H, BAR_H = 427, 14, 11
LEAST, LEAST_HEAP = 2.6, 1.4  # width of a line; there are many of the heap
HEAP = ("heap", "metadata")
LEGEND_COLUMNS = 4
TICKS = 4  # parts of a half
LIGHT = ("#1c2128", "#59636e", "#ffffff", "#f0f2f5", "#c6ccd3")
DARK = ("#e6e9ee", "#9aa4b0", "#12161c", "#1d232b", "#3b444f")
COLOURS = """
text {{ fill: {0}; }}
.soft {{ fill: {1}; }}
.hole {{ stroke: {1}; }}
.card {{ fill: {2}; stroke: {4}; }}
.lane {{ fill: {3}; }}
.line {{ stroke: {4}; }}
"""
STYLE = ("text { font: 12px Helvetica, Arial, sans-serif; }\n"
         ".title { font-size: 16px; font-weight: bold; }\n"
         ".hole { fill: none; stroke-width: 1.5; }" +
         COLOURS.format(*LIGHT) + "@media (prefers-color-scheme: dark) {" +
         COLOURS.format(*DARK) + "}\n")


def place_of(base, length, least):
    """(x, width) of a range on the axis."""
    half = int(base >= STARTS[1])
    start = LEFT + half * (HALF_W + GAP)
    x = start + (base - STARTS[half]) * HALF_W / HALF
    wide = max(length * HALF_W / HALF, least)
    return min(x, start + HALF_W - wide), wide


def shapes(places):
    """{kind: path data} of a boot, in the order of drawing."""
    found = {kind: [] for kind in table.COLOURS}
    for name, (base, length) in places.items():
        rule, _ = table.rule_of(name)
        if rule.is_physical:
            continue
        x, wide = place_of(base, length, LEAST_HEAP if rule.kind in HEAP
                           else LEAST)
        found[rule.kind].append(f"M{x:.1f} 0h{wide:.1f}v{BAR_H}"
                                f"h{-wide:.1f}z")
    return {kind: "".join(sorted(paths)) for kind, paths in found.items()
            if paths}


def boot_row(number, y, places):
    """One boot."""
    yield f'<g transform="translate(0 {y})">'
    for half in range(2):
        yield (f'<rect class="lane" x="{LEFT + half * (HALF_W + GAP)}" '
               f'width="{HALF_W}" height="{BAR_H}"/>')
    if number == 1 or number % 4 == 0:
        yield (f'<text class="soft" x="{LEFT - 8}" y="{BAR_H - 1}" '
               f'text-anchor="end">{number}</text>')
    for kind, path in shapes(places).items():
        yield f'<path fill="{table.COLOURS[kind]}" d="{path}"/>'
    yield "</g>"


def axis(bottom):
    """Marks below the rows, and the hole."""
    for half, start in enumerate(STARTS):
        left = LEFT + half * (HALF_W + GAP)
        for tick in range(TICKS + 1):
            x = left + tick * HALF_W / TICKS
            yield f'<path class="line" d="M{x:.1f} {bottom}v5"/>'
            if tick % 2:
                continue
            address = start + tick * HALF // TICKS
            end = tick == TICKS
            anchor = ("start", "end")[end] if tick in (0, TICKS) else "middle"
            label = address - 1 if end else address
            yield (f'<text x="{x:.1f}" y="{bottom + 19}" '
                   f'text-anchor="{anchor}">{label:#x}</text>')
    middle = LEFT + HALF_W + GAP / 2
    for shift in (-4, 4):
        yield (f'<path class="hole" d="M{middle + shift - 5:.1f} '
               f'{bottom + 6}l10 -{bottom + 12 - TOP}"/>')
    yield (f'<text class="soft" x="{middle:.1f}" y="{bottom + 36}" '
           'text-anchor="middle">hole: no addresses</text>')


def legend(kinds):
    """Colours, in columns."""
    wide = (2 * HALF_W + GAP) / LEGEND_COLUMNS
    for at, kind in enumerate(kinds):
        x = LEFT + at % LEGEND_COLUMNS * wide
        y = 48 + at // LEGEND_COLUMNS * 20
        yield (f'<rect x="{x:.1f}" y="{y}" width="12" height="12" rx="2" '
               f'fill="{table.COLOURS[kind]}"/>'
               f'<text x="{x + 18:.1f}" y="{y + 10.5}">'
               f'{escape(table.TITLES[kind])}</text>')


def draw(boots):
    """The picture of boots, as text."""
    rows = [each["places"] for each in boots]
    used = {table.rule_of(name)[0].kind for row in rows for name in row}
    bottom = TOP + len(rows) * ROW_H
    width, height = LEFT + 2 * HALF_W + GAP + RIGHT, bottom + 48
    title = (f"Where everything is: {len(rows)} boots of one image, "
             "a row each")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} '
             f'{height}" width="{width}" height="{height}" role="img">',
             f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
             f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" '
             f'height="{height - 1}" rx="6"/>',
             f'<text class="title" x="{LEFT}" y="30">{escape(title)}</text>',
             *legend([kind for kind in table.COLOURS if kind in used])]
    for number, places in enumerate(rows, 1):
        parts += boot_row(number, TOP + (number - 1) * ROW_H, places)
    return "\n".join([*parts, *axis(bottom + 2), "</svg>"]) + "\n"


def main():
    """Boots and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", nargs="?")
    parser.add_argument("--boots", type=int, default=32)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--read", help="draw the first boots of this file")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    if bool(args.image) == bool(args.read) or args.boots < 1:
        parser.error("either an image or --read, and at least one boot")
    try:
        boots = aslr_boot.load(args.read)[:args.boots] if args.read else \
            aslr_boot.boots(args.image, args.boots, args.jobs)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(draw(boots))
    except (OSError, RuntimeError, ValueError) as error:
        print(f"aslr_map: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {len(boots)} boots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
