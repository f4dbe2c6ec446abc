# SPDX-License-Identifier: BSD-3-Clause
"""The pictures of allocators: cost, worst case, CPUs, memory.

Each function returns the inline SVG, or None if the results lack the fields
that it draws.
"""
import benchguest_data as data
import benchpage_draw as draw
import benchpage_summary as summary
import hostbench_table

SWEEPS = ("lifo", "fifo", "random")  # one size each, all sizes
QUANTILES = ("half", "99 %", "99.9 %", "longest")
LEAST_SIZES = 3


def short_size(size):
    """Bytes for an axis."""
    for unit, name in ((1 << 20, "M"), (1 << 10, "K")):
        if size >= unit:
            return f"{size // unit}{name}"
    return str(size)


def sizes_axis(axes, sizes):
    """Sizes of objects, every second one named if there are many."""
    axes.set_xscale("log", base=2)
    step = 1 + len(sizes) // 9
    axes.set_xticks(sizes[::step], [short_size(s) for s in sizes[::step]])
    axes.minorticks_off()
    axes.set_xlabel("bytes of an object")


def by_size(rows, figure, below=None):
    """{alloc: {size: geometric mean over the sweeps}}."""
    found = {}
    for row in summary.counted(rows):
        value = data.figures(row).get(figure)
        if below and value is not None:
            value /= row.get(below) or value
        if row["name"] in SWEEPS and row["size"] and value:
            found.setdefault(row["alloc"], {}).setdefault(
                row["size"], []).append(value)
    return {alloc: {size: hostbench_table.geomean(found[alloc][size])
                    for size in sorted(found[alloc])}
            for alloc in data.allocs_of([{"alloc": a} for a in found])}


def lines_by_size(folder, name, title, found, label):
    """A line for each allocator over the sizes."""
    sizes = sorted({size for line in found.values() for size in line})
    if len(sizes) < LEAST_SIZES:
        return None
    plt, figure, (axes,) = draw.figure_of(name)
    for alloc, line in found.items():
        axes.plot(list(line), list(line.values()),
                  **draw.line_of(alloc, found))
    axes.set_yscale("log")
    sizes_axis(axes, sizes)
    plain_numbers(axes.yaxis)
    axes.set_ylabel(label)
    axes.grid(linewidth=0.5)
    draw.legend(axes)
    return draw.finish(plt, figure, folder, name, title)


def plain_numbers(axis):
    """100 and 5,000 instead of powers; as many as fit."""
    from matplotlib import ticker  # pylint: disable=C0415

    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if high < 200 * low else (1,)
    axis.set_major_locator(ticker.LogLocator(subs=steps))
    axis.set_major_formatter(lambda value, _: f"{value:,g}" if value <
                             summary.MILLION else summary.count(value)
                             .replace(" million", "M"))
    axis.set_minor_formatter(lambda value, _: "")


def cost(folder, rows, title):
    """Instructions by size."""
    return lines_by_size(folder, "cost", title, by_size(rows, "value"),
                         "instructions")


def memory(folder, rows, title):
    """Mapped bytes for each live byte, by size."""
    return lines_by_size(folder, "memory", title,
                         by_size(rows, "mapped_peak", "live_peak"),
                         "mapped / live bytes")


def worst(folder, rows, title):
    """Quantiles and maximum of single operations."""
    found = {alloc: summary.quantiles(rows, alloc) for alloc in
             data.allocs_of(summary.counted(rows))}
    found = {alloc: values for alloc, values in found.items() if values}
    if not found:
        return None
    plt, figure, (axes,) = draw.figure_of("worst")
    for alloc, values in found.items():
        axes.plot(range(len(values)), values, **draw.line_of(alloc, found))
    axes.set_yscale("log")
    axes.set_xticks(range(len(QUANTILES)), QUANTILES)
    axes.set_xlabel("operations that take at most so many")
    axes.set_ylabel("instructions of one call")
    plain_numbers(axes.yaxis)
    axes.grid(linewidth=0.5)
    draw.legend(axes)
    return draw.finish(plt, figure, folder, "worst", title)


def cpus_axis(axes, cpus):
    """Numbers of CPUs."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(cpus, [str(each) for each in cpus])
    axes.minorticks_off()
    axes.set_xlabel("CPUs")
    axes.grid(linewidth=0.5)


def grown(rows):
    """{alloc: {cpus: instructions relative to one CPU}}, exact."""
    found = summary.counted(rows, data.COUNTED_ALL)
    smps = sorted({row["cpus"] for row in found})
    for alloc in data.allocs_of(found):
        line = {cpus: hostbench_table.geomean(
            summary.growth(rows, alloc, cpus).values()) for cpus in smps}
        line = {cpus: value for cpus, value in line.items() if value}
        if len(line) > 1:
            yield alloc, line


def exact_scaling(folder, rows, title):
    """Instructions of all CPUs for an operation, relative to one CPU."""
    found = dict(grown(rows))
    if not found:
        return None
    plt, figure, (axes,) = draw.figure_of("scaling")
    for alloc, line in found.items():
        axes.plot(list(line), list(line.values()),
                  **draw.line_of(alloc, found))
    cpus_axis(axes, sorted({c for line in found.values() for c in line}))
    axes.axhline(1.1, color=draw.INK, linewidth=1, linestyle=":")
    axes.set_ylabel("instructions, one CPU = 1")
    axes.set_ylim(bottom=0, top=max(1.3, axes.get_ylim()[1]))
    draw.legend(axes)
    return draw.finish(plt, figure, folder, "scaling", title)


def speeds(rows):
    """{alloc: {cpus: [median, least, most] relative to the median of one
    CPU}}: geometric means over workloads that have one CPU."""
    first = {data.key(row): row["value"]
             for row in data.results(rows, "parallel") if row["cpus"] == 1}
    found = {}
    for row in data.results(rows, "parallel"):
        base = first.get(data.key({**row, "cpus": 1}))
        if base:
            found.setdefault(row["alloc"], {}).setdefault(
                row["cpus"], []).append([row[name] / base for name in
                                         ("value", "min", "max")])
    return {alloc: {cpus: [hostbench_table.geomean(column) or 0 for column
                           in zip(*found[alloc][cpus])]
                    for cpus in sorted(found[alloc])}
            for alloc in data.allocs_of([{"alloc": a} for a in found])}


def throughput(folder, rows, title):
    """Operations per second, relative to one CPU, with the spread."""
    found = speeds(rows)
    cpus = sorted({each for line in found.values() for each in line})
    if len(cpus) < 2:
        return None
    plt, figure, (axes,) = draw.figure_of("throughput")
    for index, (alloc, line) in enumerate(found.items()):
        shift = 1 + (index - len(found) / 2) * 0.02
        middle, least, most = zip(*line.values())
        axes.errorbar([each * shift for each in line], middle,
                      [[m - a for m, a in zip(middle, least)],
                       [a - m for m, a in zip(middle, most)]],
                      capsize=2, **draw.line_of(alloc, found))
    cpus_axis(axes, cpus)
    axes.set_ylabel("throughput, one CPU = 1")
    axes.set_ylim(bottom=0)
    draw.legend(axes)
    return draw.finish(plt, figure, folder, "throughput", title)
