# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of the newest results of each suite, PNG and SVG."""
import json
import pathlib

import hostbench_table as table
from hostbench_alloc import BASE

KINDS = ("png", "svg")


def pyplot():
    """matplotlib without a screen."""
    try:
        import matplotlib  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise SystemExit("plot: package python3-matplotlib is missing") \
            from None
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt  # pylint: disable=C0415
    return plt


def rows_of(folder, suite):
    """JSON objects of the newest result of a suite."""
    path = pathlib.Path(folder, f"{suite}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] \
        if path.exists() else []


def save(figure, folder, name):
    """Writes one picture."""
    for kind in KINDS:
        path = folder / f"{name}.{kind}"
        figure.savefig(path, bbox_inches="tight", dpi=110)
        print(f"  {path}")


def medians(rows, metric):
    """{group: {workload: {alloc: median}}} in the order of appearance."""
    samples, found = {}, {}
    for row in rows:
        if row["type"] == "run":
            key = row["group"], row["workload"], row["alloc"]
            samples.setdefault(key, []).append(row[metric])
    for (group, work, alloc), values in samples.items():
        found.setdefault(group, {}).setdefault(work, {})[alloc] = \
            table.median(values)
    return found


def bars(axes, names, groups, label):
    """Groups of bars on a logarithmic scale around 1."""
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        places = [i + (index - len(names) / 2 + 0.5) * width
                  for i in range(len(groups))]
        values = [ratios.get(name) for ratios in groups.values()]
        axes.bar(places, [(value or 1) - 1 for value in values], width,
                 bottom=1, label=name)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xticks(range(len(groups)), groups, rotation=35, ha="right",
                    fontsize=8)
    axes.set_ylabel(f"{label}, x {BASE}")
    axes.grid(axis="y", linewidth=0.3)
    axes.set_axisbelow(True)


def relative(values):
    """Ratios to the base, or nothing without it."""
    return {name: table.ratio(value, values.get(BASE))
            for name, value in values.items()} if values.get(BASE) else {}


def with_mean(groups, names):
    """Adds the geometric mean as a last group."""
    return {**groups, "MEAN": {name: table.geomean(
        [ratios.get(name) for ratios in groups.values()])
        for name in names}}


def plot_metric(plt, folder, rows, names, metric, label):
    """One picture with a panel for each group of workloads."""
    found = medians(rows, metric)
    if not found:
        return
    figure, panels = plt.subplots(len(found), 1, squeeze=False,
                                  figsize=(13, 4 * len(found)))
    for axes, (group, works) in zip(panels[:, 0], found.items()):
        ratios = {work: relative(values) for work, values in works.items()}
        bars(axes, names, with_mean(ratios, names), label)
        axes.set_title(group, fontsize=10)
    panels[0, 0].legend(ncol=len(names), fontsize=8)
    figure.tight_layout()
    save(figure, folder, f"time-{metric}")
    plt.close(figure)


def plot_insn(plt, folder):
    """Instructions of the single operations."""
    rows = [row for row in rows_of(folder, "insn") if row["type"] == "insn"]
    if not rows:
        return
    works, names = {}, []
    for row in rows:
        label = f"{row['workload']} {row['size'] or 'mix'}"
        works.setdefault(label, {})[row["alloc"]] = row["value"]
        if row["alloc"] not in names:
            names.append(row["alloc"])
    figure, axes = plt.subplots(figsize=(13, 5))
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        axes.bar([i + (index - len(names) / 2 + 0.5) * width
                  for i in range(len(works))],
                 [values.get(name, 0) for values in works.values()], width,
                 label=name)
    axes.set_xticks(range(len(works)), works, rotation=35, ha="right")
    axes.set_ylabel("instructions of malloc and free")
    axes.grid(axis="y", linewidth=0.3)
    axes.set_axisbelow(True)
    axes.legend(ncol=4, fontsize=8)
    save(figure, folder, "insn")
    plt.close(figure)


def plot(folder):
    """Draws what there is."""
    plt = pyplot()
    print("\nPictures:")
    rows = rows_of(folder, "time")
    if rows:
        names = [name for name, about in rows[0]["allocs"].items()
                 if "missing" not in about]
        for metric, label in (("time", "time"), ("cpu", "CPU time"),
                              ("rss_kib", "peak RSS")):
            plot_metric(plt, folder, rows, names, metric, label)
    plot_insn(plt, folder)
