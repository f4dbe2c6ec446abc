# SPDX-License-Identifier: BSD-3-Clause
"""The pictures of the platform: shootdown, heap map, entropy.

As benchpage_plots.py: inline SVG, or None without data.
"""
import aslr_table
import benchpage_draw as draw
import benchpage_plots as plots
import report
import shootdown

HALF = 1 << 47  # bytes of each half of the address space
UPPER = (1 << 64) - HALF
TIB = 1 << 40
BOOTS = ("#1769c4", "#e08214")  # colours


def stops(folder, rows, title):
    """Instructions of all CPUs for a page, by number of active CPUs."""
    found = {}
    for row in rows:
        if row["active"] == row["cpus"] and \
                not row["policy"].startswith("malloc") and \
                not row["policy"].startswith("page_map"):
            found.setdefault(row["policy"], {})[row["cpus"]] = row["insn"]
    if not found:
        return None
    plt, figure, (axes,) = draw.figure_of("shootdown", 3.9)
    others = [name for name in found if name != shootdown.OURS]
    for name, line in found.items():
        colour = draw.COLOURS["ukallocrnd"] if name == shootdown.OURS else \
            draw.colour_of(name, others)
        axes.plot(list(line), list(line.values()), marker="o", color=colour,
                  label=name, linewidth=2.4 if name == shootdown.OURS
                  else 1.4)
    axes.set_yscale("log")
    plots.cpus_axis(axes, sorted({c for line in found.values()
                                  for c in line}))
    axes.set_xlabel("CPUs that all work")
    plots.plain_numbers(axes.yaxis)
    axes.set_ylabel("instructions for a page")
    draw.legend(axes, 1)
    return draw.finish(plt, figure, folder, "shootdown", title)


def places_of(rows):
    """{kind: [(boot, half, TiB from its start)]}."""
    found = {}
    for row in rows:
        if row["type"] != "map" or row.get("mode") != "map":
            continue
        rule, _ = aslr_table.rule_of(row["name"])
        if rule.is_physical:
            continue
        base = report.number(row["base"])
        half = int(base >= UPPER)
        found.setdefault(rule.kind, []).append(
            (row.get("boot", 0), half, (base - half * UPPER) / TIB))
    return found


def heap_map(folder, rows, title):
    """Where everything was in two boots, both halves of the addresses."""
    found = places_of(rows)
    if not found:
        return None
    kinds = [kind for kind in aslr_table.COLOURS if kind in found][::-1]
    plt, figure, panels = draw.figure_of("map", 1.3 + 0.5 * len(kinds), 2)
    for half, axes in enumerate(panels):
        for boot, colour in enumerate(BOOTS):
            marks = [(x, y) for y, kind in enumerate(kinds)
                     for number, side, x in found[kind]
                     if number == boot and side == half]
            shift = 0.2 - 0.4 * boot
            axes.plot([x for x, _ in marks], [y + shift for _, y in marks],
                      "|", color=colour, markersize=7, markeredgewidth=1.3,
                      label=("first boot", "second boot")[boot])
        axes.set_yticks(range(len(kinds)), kinds)
        axes.set_ylim(-0.6, len(kinds) - 0.4)
        axes.set_xlim(0, HALF / TIB)
        axes.set_xticks(range(0, 129, 32))
        axes.set_title(("lower half", "upper half")[half], fontsize=10,
                       loc="left")
        axes.grid(axis="y", linewidth=0.5)
    panels[1].set_xlabel("TiB from the start of the half")
    figure.subplots_adjust(hspace=0.45)
    panels[1].legend(ncol=2, fontsize=9, loc="upper center", frameon=False,
                     bbox_to_anchor=(0.45, -0.4))
    return draw.finish(plt, figure, folder, "map", title)


def bits_by_kind(rows):
    """{kind: (places, fewest bits, fewest bits needed)}."""
    found = {}
    for row in rows:
        if row["type"] == "region" and row.get("need"):
            found.setdefault(row["kind"], []).append(row)
    return {kind: (len(each), min(row["bits"] for row in each),
                   min(row["need"] for row in each))
            for kind, each in found.items()}


def entropy(folder, rows, title):
    """Fewest bits of each kind of place."""
    found = bits_by_kind(rows)
    if not found:
        return None
    kinds = list(found)[::-1]
    plt, figure, (axes,) = draw.figure_of("entropy", 1.2 + 0.32 * len(kinds))
    axes.barh(range(len(kinds)), [found[kind][1] for kind in kinds], 0.6,
              color=draw.COLOURS["ukallocrnd"], label="measured")
    axes.plot([found[kind][2] for kind in kinds], range(len(kinds)), "|",
              color=draw.COLOURS["mimalloc"], markersize=15,
              markeredgewidth=3, linestyle="none", label="needed at least")
    for y, kind in enumerate(kinds):
        axes.text(0.6, y, f"{found[kind][1]:.1f}", va="center",
                  color="#ffffff", fontsize=9)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_xlabel("bits")
    axes.legend(ncol=2, fontsize=9, loc="upper center", frameon=False,
                bbox_to_anchor=(0.3, -0.5 / (1.2 + 0.32 * len(kinds)) * 1.6))
    return draw.finish(plt, figure, folder, "entropy", title)
