# SPDX-License-Identifier: BSD-3-Clause
"""A verdict as tables for the terminal and for documents, and as JSON."""
import dataclasses
import json
import pathlib
import textwrap

import aslr_known
import aslr_table as table
from aslr_judge import ALPHA

ERRORS_SHOWN = 30
ROWS_NAMED = 6
COLUMNS = 79
HEADS = ("places", "step", "bits", "needed", "below the page", "needed",
         "left after a leak")


@dataclasses.dataclass
class Family:
    """Regions that share a line."""

    rule: table.Rule
    regions: list
    left: float = None  # fewest bits when a region of another group is known


def families(verdict):
    """{name: Family} in the order of the memory map."""
    found = {}
    for region in verdict.regions:
        name = region.rule.family
        found.setdefault(name, Family(region.rule, [])).regions.append(region)
    rules = verdict.rules()
    for pair in verdict.pairs:
        family = found[rules[pair.second].family]
        family.left = min(pair.bits, family.left or pair.bits)
    return found


def step_of(regions):
    """Granularity in words."""
    steps = {region.place.step for region in regions}
    step = min(steps)
    if not step:
        return "fixed"
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if step % unit == 0:
            return f"{step // unit} {name}"
    return f"{step} B"


def cells_of(family):
    """The cells of a line, as HEADS."""
    rule, regions = family.rule, family.regions
    below = aslr_known.least(region.below_bits for region in regions
                             if region.below)
    return (str(len(regions)), step_of(regions),
            aslr_known.least(region.place.bits for region in regions),
            str(rule.need or "-"), below, str(rule.below or "-"),
            "-" if family.left is None else f"{family.left:.1f}")


def libraries(verdict):
    """Lines: the order of libraries, and what one tells about another."""
    names = verdict.order.names
    if not verdict.order.tests:
        return
    pair = min((pair for pair in verdict.pairs + verdict.inside
                if pair.first in names and pair.second in names),
               key=lambda pair: pair.bits)
    yield (f"order of {len(names)} libraries: {verdict.order.bits:.1f} bits; "
           f"{pair.bits:.1f} bits are left of {pair.second} when "
           f"{pair.first} is known")


def within(verdict):
    """Lines: regions of several rows, and what is left inside them."""
    for group, rows in table.groups(verdict.rules()).items():
        pair = min((pair for pair in verdict.inside if pair.first in rows),
                   key=lambda pair: pair.bits)
        named = ", ".join(rows[:ROWS_NAMED])
        if len(rows) > ROWS_NAMED:
            named += f" and {len(rows) - ROWS_NAMED} more"
        yield (f"{group}: {len(rows)} rows are one region ({named}); "
               f"{pair.bits:.1f} bits are left of {pair.second} when "
               f"{pair.first} is known")
    for name in {pair.first: None for pair in verdict.leaks}:
        pair = min((pair for pair in verdict.leaks if pair.first == name),
                   key=lambda pair: pair.bits)
        yield (f"{name} is no pointer; when it is known, {pair.bits:.1f} "
               f"bits are left of {pair.second}")
    fixed = {}
    for region in verdict.regions:
        for bit in region.fixed:
            fixed.setdefault((bit, region.rule.family), []).append(region)
    for (bit, family), regions in fixed.items():
        yield (f"{family}: bit {bit} never changes in {len(regions)}; it is "
               "not counted")
    yield from libraries(verdict)


def smallest(verdict):
    """Lines: the pairs that leave the fewest bits."""
    pair = verdict.worst()
    if pair:
        yield (f"one pointer leaves {pair.bits:.2f} bits of any other region "
               f"at least: of {pair.second} when {pair.first} is known")


def how(verdict):
    """One line about the statistics."""
    one, two = verdict.tests
    return (f"{verdict.boots} boots, {len(verdict.regions)} places each, "
            f"{one} tests of places and {two} of pairs; error rate {ALPHA:g} "
            "in all")


def terminal(verdict):
    """For a terminal."""
    widths = [max(len(head), 6) + 2 for head in HEADS]

    def line(name, cells):
        return f"{name:<31}" + "".join(f"{cell:>{wide}}" for cell, wide in
                                       zip(cells, widths))

    lines = [line("bits, the smallest of each", HEADS)]
    lines += [line(name, cells_of(family))
              for name, family in families(verdict).items()]
    lines += ["", *within(verdict), *smallest(verdict), ""]
    lines.append(f"{'bits':<31}" + "".join(f"{head:>14}"
                                           for head in aslr_known.HEADS))
    lines += [f"{system.name:<31}" + "".join(f"{cell:>14}"
                                             for cell in system.bits)
              for system in aslr_known.systems(verdict)]
    lines += ["", *(f"not ok {name}: {text}"
                    for name, text in verdict.errors[:ERRORS_SHOWN])]
    if len(verdict.errors) > ERRORS_SHOWN:
        lines.append(f"... {len(verdict.errors) - ERRORS_SHOWN} more")
    return "\n".join([*lines, how(verdict)])


def row(*cells):
    """A row of Markdown."""
    return "| " + " | ".join(cells) + " |"


def wrapped(mark, text):
    """A paragraph or an entry of a list."""
    return textwrap.fill(text, COLUMNS, initial_indent=mark,
                         subsequent_indent=" " * len(mark),
                         break_on_hyphens=False)


def markdown(verdict):
    """For a document."""
    lines = [wrapped("", how(verdict) + "."), "", row("Region", *HEADS),
             "|---|" + "--:|" * len(HEADS)]
    lines += [row(name, *cells_of(family))
              for name, family in families(verdict).items()]
    lines += ["", *(wrapped("- ", text) for text in (*smallest(verdict),
                                                     *within(verdict)))]
    lines += ["", row("System", *aslr_known.HEADS, "Remarks"),
              "|---|" + "--:|" * len(aslr_known.HEADS) + "---|"]
    lines += [row(system.name, *system.bits, system.note)
              for system in aslr_known.systems(verdict)]
    if verdict.errors:
        lines += ["", "Rejected:", "",
                  *(f"- {name}: {text}" for name, text in verdict.errors)]
    return "\n".join(lines) + "\n"


def records(verdict):
    """JSON objects: a region each, then all together."""
    left = {}
    for pair in verdict.pairs:
        if pair.second not in left or pair.bits < left[pair.second].bits:
            left[pair.second] = pair
    for region in verdict.regions:
        pair = left.get(region.name)
        yield {"type": "region", "name": region.name,
               "kind": region.rule.kind, "group": region.group,
               "bits": region.place.bits, "step": region.place.step,
               "low": region.place.low, "slots": region.place.slots,
               "fixed": region.fixed,
               "below": region.below.bits if region.below else None,
               "need": region.rule.need, "need_below": region.rule.below,
               "p_least": min(region.tests.values(), default=None),
               "left": pair.bits if pair else None,
               "left_after": pair.first if pair else None}
    passed, failed = verdict.counts()
    yield {"type": "verdict", "boots": verdict.boots,
           "profile": verdict.profile, "alpha": ALPHA,
           "tests": verdict.tests, "limit": verdict.limit,
           "pair_limit": verdict.pair_limit,
           "order_bits": verdict.order.bits, "passed": passed,
           "failed": failed, "errors": verdict.errors}


def save(path, verdict):
    """Writes JSON lines."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n"
                            for each in records(verdict)))
