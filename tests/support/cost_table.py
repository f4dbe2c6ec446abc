# SPDX-License-Identifier: BSD-3-Clause
"""The tables of make bench-cost, for the terminal and for a document."""
import configs
from cost_plan import SIZES

HEADS = [*(f"{size} B" for size in SIZES), "start", "in use"]
LEVELS = {"none": "everything off"}


def signed(value):
    """Instructions more or less."""
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0"


def mib(kib):
    """Memory."""
    return f"{kib / 1024:.1f}"


def signed_mib(kib):
    """Memory more or less; what pages and random placement do is nothing."""
    return f"{kib / 1024:+.1f}" if abs(kib) >= 52 else "0"


def level_rows(plan, found):
    """(name, cells) of whole configurations."""
    for name in plan.levels:
        figures = found[name]
        yield LEVELS.get(name, name), [
            *(f"{figures.mean(size):.1f}" for size in SIZES),
            *(mib(peak) for peak in figures.peaks.values())]


def cells_of(cost):
    """Instructions by size, memory by program."""
    return [*(signed(value) for value in cost.instructions.values()),
            *(signed_mib(peak) for peak in cost.peaks.values())]


def note_of(plan, cost):
    """What else changes with an option."""
    if cost.row.is_added and cost.row.kind == "in":
        return " (not in BALANCED)"
    others = [configs.short(name) for name in cost.others
              if name in plan.protections]
    return f" (with {', '.join(others)})" if others else ""


def protection_rows(plan, costs):
    """(name, cells alone, cells in BALANCED, note)."""
    for name in plan.protections:
        alone, inside = (next(cost for cost in costs if cost.row.kind == kind
                              and cost.row.option == name)
                         for kind in ("alone", "in"))
        yield configs.short(name), cells_of(alone), cells_of(inside), \
            note_of(plan, inside)


def number_rows(costs, found):
    """(name, cells)."""
    for cost in costs:
        if cost.row.kind == "number":
            before = found[cost.row.cheaper].values[cost.row.option]
            yield (f"{configs.short(cost.row.option)} {before} to "
                   f"{cost.row.value}"), cells_of(cost)


def lines_of(name, cells):
    """A row on the terminal."""
    return f"{name:<34}" + "".join(f"{cell:>9}" for cell in cells)


def terminal(plan, found, costs):
    """For a terminal."""
    lines = [lines_of("instructions, peak MiB", HEADS)]
    lines += [lines_of(*row) for row in level_rows(plan, found)]
    rows = list(protection_rows(plan, costs))
    lines += ["", lines_of("alone", HEADS)]
    lines += [lines_of(name, alone) for name, alone, _, _ in rows]
    lines += ["", lines_of("in BALANCED", HEADS)]
    lines += [lines_of(name, inside) + note for name, _, inside, note in rows]
    lines += ["", lines_of("another value in BALANCED", HEADS)]
    lines += [lines_of(*row) for row in number_rows(costs, found)]
    return "\n".join(lines)


def markdown_row(*cells):
    """A row in a document."""
    return "| " + " | ".join(cells) + " |"


def markdown_head(*cells):
    """The first row and the line below; numbers are at the right."""
    return [markdown_row(*cells),
            "|---|" + "--:|" * (len(cells) - 1)]


def mechanisms(plan):
    """Rows: what each protection does, in the words of its help."""
    for name in plan.protections:
        sym = plan.symbols[name]
        yield markdown_row(configs.short(name),
                           configs.told(sym, "Mechanism"),
                           configs.told(sym, "Hinders"))


def markdown(plan, found, costs, about):
    """For a document."""
    lines = [f"{about['cpu']}, commit {about['commit']}.", "",
             *markdown_head("", *(f"{size} bytes" for size in SIZES),
                            "MiB at start", "MiB in use")]
    lines += [markdown_row(name, *cells)
              for name, cells in level_rows(plan, found)]
    lines += ["", *markdown_head(
        "Protection", *(f"alone, {size}" for size in SIZES),
        *(f"in BALANCED, {size}" for size in SIZES), "MiB in use")]
    lines += [markdown_row(name + note, *alone[:len(SIZES)], *inside[:-2],
                           inside[-1])
              for name, alone, inside, note in protection_rows(plan, costs)]
    lines += ["", *markdown_head(
        "Number in BALANCED", *(f"{size} bytes" for size in SIZES),
        "MiB at start", "MiB in use")]
    lines += [markdown_row(name, *cells)
              for name, cells in number_rows(costs, found)]
    lines += ["", "| Protection | Mechanism | Hinders |", "|---|---|---|",
              *mechanisms(plan)]
    return "\n".join(lines) + "\n"
