# SPDX-License-Identifier: BSD-3-Clause
"""What the rows of a memory map are, and how random they have to be.

Rows of one group are one region by definition: who knows one of them knows
where the others are, or nearly so. Who wants to know how nearly finds it in
the output; only pairs of different groups are judged.
"""
import dataclasses
import re

NEED = 30  # bits of a row without a rule, and left after a leak
ANYWHERE = "tables and devices"


@dataclasses.dataclass(frozen=True)
class Rule:
    """About the rows whose whole name matches the pattern."""

    pattern: str
    family: str  # one row in the tables
    kind: str    # colour
    need: int = NEED
    below: int = 0        # bits below the page, which count in addition
    group: str = ""       # template of the match; empty: a group of its own
    is_physical: bool = False  # no address: not judged, may be leaked
    window: int = 0  # length of the windows that a place is drawn in, if any


NUMBER = r"(?: \d+)?"
RULES = (
    Rule(r".*\(physical\)" + NUMBER, "physical address", "physical", 0,
         is_physical=True),
    Rule(r"image(?: .*)?", "image", "image", 34, group="image"),
    # What belongs to one library is in a window of 1 GiB
    Rule(r"(?!heap:)(.*) (?:text|rodata|data|bss)" + NUMBER, "library",
         "library", 34, group=r"\1"),
    Rule(r"heap:slots of .*", "heap: slots of a size class", "heap", 34,
         window=1 << 36),
    Rule(r"heap:metadata of .*", "heap: metadata of a class", "metadata", 34),
    Rule(r"heap:.*", "heap: other tables", "metadata", 34),
    Rule(r"page of the heap in the direct map", "page in the direct map",
         "direct map", group="direct map"),
    Rule(r"page of the heap", "large object", "mapping", 34),
    Rule(r"mapping" + NUMBER, "mapping", "mapping", 34),
    Rule(r"buddy", "area of the platform", "mapping", 34),
    Rule(r"boot stack pointer", "stack pointer of the first CPU", "stack",
         below=8, group="boot stack"),
    Rule(r"stack pointer(" + NUMBER + ")", "stack pointer of another CPU",
         "stack", below=8, group=r"stack\1"),
    Rule(r"((?:boot )?stack)(" + NUMBER + ")", "stack", "stack",
         group=r"\1\2"),
    Rule(r".*stacks?" + NUMBER, "stacks of interrupts", "stack"),
    Rule(r"page table root", "page table", "tables", group="page tables"),
    # A page in one of these is at the base + its physical address
    Rule(r"page tables", "window of page tables", "tables",
         group="page tables"),
    Rule(r"direct map", "direct map", "direct map", group="direct map"),
    Rule(r".*", ANYWHERE, "tables"),
)

# Colour-blind safe; seen on white and on black. Drawn in this order.
COLOURS = {
    "heap": "#4393e5", "metadata": "#7fb8ee", "mapping": "#1f9e77",
    "direct map": "#8a8f98", "tables": "#9467bd", "stack": "#e377b8",
    "library": "#e8a818", "image": "#e0522f",
}
TITLES = {
    "heap": "slots of size classes", "metadata": "metadata of the heap",
    "mapping": "mappings, large objects", "direct map": "direct map",
    "tables": "page tables, other tables", "stack": "stacks",
    "library": "libraries", "image": "image",
}


def rule_of(name):
    """(rule, group) of a row."""
    for rule in RULES:
        match = re.fullmatch(rule.pattern, name)
        if match:
            return rule, match.expand(rule.group) if rule.group else name
    raise ValueError(f"no rule for {name}")


def groups(names):
    """{group: rows}, for groups of several rows."""
    found = {}
    for name in names:
        rule, group = rule_of(name)
        if not rule.is_physical:
            found.setdefault(group, []).append(name)
    return {group: rows for group, rows in found.items() if len(rows) > 1}


def is_library_text(name):
    """Is it the row of a library's code?"""
    return rule_of(name)[0].kind == "library" and \
        bool(re.fullmatch(r".* text" + NUMBER, name))
