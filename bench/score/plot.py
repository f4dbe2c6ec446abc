# SPDX-License-Identifier: BSD-3-Clause
"""Histogram of distances as SVG: one row of panels an allocator.

Distances reach from one slot to the whole address space, so both halves of
the axis are logarithmic, each power of two in four parts. An allocator that
gives the next place has one bar; a uniform choice is a slope that rises
towards the ends, because there are more far places than near ones.
"""
import collections
import math
from xml.sax.saxutils import escape

import measure

PARTS = 4  # bins of a power of two
LOWEST = 4  # the smallest power of two of the axis
PANEL_W, PANEL_H, GAP, TOP, LEFT = 430, 130, 40, 60, 60
INK, BAR, GRID = "#222", "#3b6ea5", "#ccc"


def highest(panels):
    """Power of two that no distance reaches, a multiple of 8."""
    most = max(abs(distance) for _, *each in panels
               for distances in each for distance in distances)
    return max(16, (most.bit_length() + 7) // 8 * 8)


def bin_of(distance):
    """Place on the axis: 0 in the middle, bins to both sides."""
    if distance == 0:
        return 0
    power = max(LOWEST, math.log2(abs(distance)))
    return int(math.copysign(
        1 + math.floor((power - LOWEST) * PARTS), distance))


def axis(x, y, wide, side, top):
    """Marks at powers of two."""
    for power in range(8, top, 8):
        for sign, name in ((-1, "-"), (1, "+")):
            at = x + wide * (side + 0.5 + sign * (
                1 + (power - LOWEST) * PARTS))
            yield (f'<path d="M{at:.1f} {y}v{PANEL_H}" stroke="{GRID}"/>'
                   f'<text x="{at:.1f}" y="{y + PANEL_H + 14}" '
                   f'text-anchor="middle">{name}2'
                   f'<tspan dy="-4" font-size="8">{power}</tspan></text>')


def panel(x, y, title, distances, top):
    """One histogram."""
    counts = collections.Counter(map(bin_of, distances))
    side = 1 + (top - LOWEST) * PARTS
    wide = PANEL_W / (2 * side + 1)
    most = max(counts.values())
    common = collections.Counter(distances).most_common(1)[0][1]
    yield (f'<text x="{x}" y="{y - 8}" font-weight="bold">'
           f'{escape(title)}</text>')
    yield (f'<text x="{x + PANEL_W}" y="{y - 8}" text-anchor="end">'
           f'commonest {100 * common / len(distances):.2f} % of '
           f'{len(distances)}</text>')
    yield from axis(x, y, wide, side, top)
    for place, count in sorted(counts.items()):
        tall = PANEL_H * count / most
        yield (f'<rect x="{x + wide * (side + place):.2f}" '
               f'y="{y + PANEL_H - tall:.2f}" width="{max(wide, 1):.2f}" '
               f'height="{tall:.2f}" fill="{BAR}"/>')
    yield (f'<path d="M{x} {y}v{PANEL_H}h{PANEL_W}" fill="none" '
           f'stroke="{INK}"/>')
    yield (f'<text x="{x - 6}" y="{y + 10}" text-anchor="end">'
           f'{100 * most / len(distances):.3g} %</text>')


def distances_of(name, rows, growth):
    """(name, distances of first objects, distances in one process)."""
    return (name, [measure.signed(measure.distance(row[1], row[0]))
                   for row in rows],
            [b - a for a, b in zip(growth, growth[1:])])


def write(path, panels):
    """panels: (name, rows of first objects, addresses of growth)."""
    panels = [distances_of(*each) for each in panels]
    top = highest(panels)
    width = LEFT + 2 * (PANEL_W + GAP)
    height = TOP + len(panels) * (PANEL_H + 2 * GAP) - GAP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
             f'height="{height}" font-family="sans-serif" font-size="11" '
             f'fill="{INK}">',
             '<rect width="100%" height="100%" fill="#fff"/>',
             f'<text x="{LEFT}" y="22" font-size="15">Distance, in bytes, '
             'from an object to the next one</text>']
    for i, (name, first, drawn) in enumerate(panels):
        y = TOP + i * (PANEL_H + 2 * GAP)
        parts += panel(LEFT, y, f"{name}: many processes", first, top)
        parts += panel(LEFT + PANEL_W + GAP, y, f"{name}: one process",
                       drawn, top)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")
