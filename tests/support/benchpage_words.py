# SPDX-License-Identifier: BSD-3-Clause
"""What the pictures show, in sentences made of the results themselves."""
import benchguest_data as data
import benchpage_places as places
import benchpage_plots as plots
import benchpage_summary as summary
import hostbench_table
import shootdown

OURS = summary.BALANCED
HEADLINE = 64  # bytes
FEWEST = ("mimalloc", "buddy")  # what ours is always named beside


def said(found, form=None):
    """'a 1, b 2' of {name: number}."""
    return ", ".join(f"{name} {number(value, form)}"
                     for name, value in found.items())


def chosen(found):
    """Ours, mimalloc and the buddy, as far as they are there."""
    return {name: found[name] for name in (OURS, *FEWEST) if name in found}


def at_size(lines, form=None):
    """Figures of the headline's size."""
    return said(chosen({alloc: line[HEADLINE] for alloc, line in
                        lines.items() if HEADLINE in line}), form)


def cost(rows):
    """Of the picture by size."""
    return (f"For {HEADLINE} bytes: "
            f"{at_size(plots.by_size(rows, 'value'))} instructions.")


def memory(rows):
    """Of the picture of memory."""
    lines = plots.by_size(rows, "mapped_peak", "live_peak")
    return f"For {HEADLINE} bytes: {at_size(lines, '{:,.2f}')}."


def worst(rows):
    """Of the picture of single operations."""
    found = {alloc: summary.worst_of(rows, alloc)
             for alloc in data.allocs_of(summary.counted(rows))}
    longest = ", ".join(f"{alloc} {number(value)} (in {where})" for alloc,
                        (value, where) in chosen(found).items() if value)
    return ("The longest call, of all workloads that mimalloc can run: "
            f"{longest}.")


def scaling(rows):
    """Of the picture of exact figures on several CPUs."""
    line = dict(plots.grown(rows)).get(OURS, {})
    if not line:
        return ""
    most = max(line)
    more = 100 * (line[most] - 1)
    return (f"On {most} CPUs {OURS} takes {abs(more):.1f} % "
            f"{'more' if more >= 0 else 'fewer'} instructions for an "
            "operation than on one.")


def throughput(rows):
    """Of the picture of times."""
    found = plots.speeds(rows)
    most = max(cpus for line in found.values() for cpus in line)
    values = {alloc: line[most][0] for alloc, line in found.items()
              if most in line}
    return f"On {most} CPUs: {said(chosen(values), '{:.2f}')}."


def stops(rows):
    """Of the picture of shootdown."""
    most = max(row["cpus"] for row in rows)
    found = {row["policy"]: row["insn"] for row in rows
             if row["cpus"] == row["active"] == most}
    dearest = max((name for name in found if "every CPU" in name or
                   name.startswith("each page")), key=found.get, default=None)
    if not dearest:
        return ""
    return (f"On {most} CPUs a page takes {found[shootdown.OURS]:,.0f} "
            f"instructions with {shootdown.OURS}, which ukallocrnd uses, and "
            f"{found[dearest]:,.0f} with '{dearest}'.")


def heap_map(rows):
    """Of the memory map."""
    boots = {}
    for row in rows:
        if row["type"] == "map" and row.get("mode") == "map":
            boots.setdefault(row.get("boot", 0), []).append(
                (row["name"], row["base"]))
    shared = set.intersection(*map(set, boots.values()))
    names = {name for each in boots.values() for name, _ in each}
    same = sorted({name for name, _ in shared})
    words = ": " + ", ".join(same) if 0 < len(same) < 5 else ""
    return (f"Of {len(names)} regions {len(same)} are in the same place in "
            f"all {len(boots)} boots{words}.")


def entropy(rows):
    """Of the picture of bits."""
    found = places.bits_by_kind(rows)
    kind = min(found, key=lambda each: found[each][1])
    bits = found[kind][1]
    boots = next((row["boots"] for row in rows if row["type"] == "verdict"),
                 0)
    return (f"Estimated from {boots:,} boots. The fewest, {bits:.1f}, are "
            f"those of {kind}: a guess of such a place is right once in "
            f"{2 ** bits:,.0f} boots.")


def in_short(rows):
    """The first paragraph's figures."""
    insn = summary.costs(rows)
    parts = []
    for name in FEWEST:
        mean, count = data.mean_ratio(insn, OURS, name)
        if mean:
            parts.append(f"{mean:.2f} times the instructions of {name}")
    kept = [promise.kept for promise in summary.promises(rows)]
    return (f"In its default profile it takes {' and '.join(parts)} (means "
            f"of {count} workloads). Of {len(kept)} bounds that were set "
            f"beforehand, met: {kept.count(True)}, missed: "
            f"{kept.count(False)}, not measured: {kept.count(None)}."
            if parts else "It was measured without its references.")


def number(value, form=None):
    """A cell of a table; without a form a number of instructions."""
    return form.format(value) if form and value is not None else \
        summary.count(value)


def spread(row):
    """A figure with what it was between, if it was."""
    return hostbench_table.number(row["value"]) + (
        f" ({hostbench_table.number(row['min'])} to "
        f"{hostbench_table.number(row['max'])})" if "min" in row else "")
