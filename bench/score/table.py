# SPDX-License-Identifier: BSD-3-Clause
"""The table of figures, allocators side by side."""
import math

import measure
import stats


def percent(value):
    """A share in percent, with as many digits as say something."""
    return f"{100 * value:.2f} %" if value >= 0.0001 else (
        "0" if value == 0 else f"{value:.1g}")


def bits(value):
    """Bits; -0.0 is 0."""
    return "inf" if math.isinf(value) else f"{abs(value):.2f}"


def cell_bits(figure):
    """Varying bits of a page address, and their estimated entropy."""
    return (f"{figure.value}  ~{abs(figure.more['entropy']):.1f}"
            f" ±{2.576 * figure.more['error']:.1f}")


def cell_shannon(figure):
    """Plain, with its error, and corrected."""
    return (f"{bits(figure.value)} ±{figure.high - figure.value:.2f}"
            f"  ({bits(figure.more['corrected'])})")


def cell_min(figure):
    """Observed, and with confidence."""
    return f"{bits(figure.value)}  >= {bits(figure.low)}"


def cell_stretch(figure):
    """Observed only: the worst of many is no estimate of one."""
    return bits(figure.value)


def cell_top(figure):
    """Share and value of the commonest."""
    return f"{percent(figure.value)} at {figure.more['distance']:+d}"


def cell_share(figure):
    """Share, and what it is at most."""
    if figure.value == 1:
        return "always"
    return f"{percent(figure.value)}  <= {percent(figure.high)}"


def cell_soonest(figure):
    """After how many draws an address came back first."""
    soonest = figure.more["soonest"]
    return "never seen" if soonest is None else f"{soonest}"


def cell_seen(figure):
    """What was read, and in which part of the trials."""
    seen = {key: figure.more[key] for key in measure.SEEN
            if figure.more.get(key)}
    if len(seen) == 1:
        return next(iter(seen))
    return ", ".join(f"{key} {percent(n / figure.n)}"
                     for key, n in seen.items())


def cell_hits(figure):
    """How many of how many."""
    return f"{figure.more['hits']} of {figure.n}"


def layout(size, ceiling):
    """Sections: title, rows of (label, figure, cell)."""
    other = 1000 if size < 512 else 64
    yield "Processes: varying bits above the page, ~ entropy", [
        ("address of the first object", "base.page_bits", cell_bits),
        (f"to an object of {other} B", "class.page_bits", cell_bits),
        ("large object to large object", "large.page_bits", cell_bits),
        ("heap to libc", "libc.page_bits", cell_bits),
        ("heap to program", "program.page_bits", cell_bits),
        ("heap to stack", "stack.page_bits", cell_bits)]
    for lag in measure.LAGS:
        yield (f"Processes: distance at lag {lag}, bits "
               f"(ceiling {ceiling:.2f})"), [
            ("Shannon (Miller-Madow)", f"lag{lag}.shannon", cell_shannon),
            ("same, after 1000 objects", f"warm.lag{lag}.shannon",
             cell_shannon),
            ("min-entropy", f"lag{lag}.min", cell_min),
            ("commonest", f"lag{lag}.top", cell_top)]
    yield "One process: min-entropy of a draw, bits", [
        ("distance, growth", "growth.min", cell_min),
        ("distance, churn", "churn.min", cell_min),
        ("best strategy, growth", "growth.pick", cell_min),
        ("best strategy, churn", "churn.pick", cell_min),
        ("worst 1000 draws, growth", "growth.stretch.min", cell_stretch)]
    yield "One process: next object is a neighbour", [
        ("growth", "growth.adjacent", cell_share),
        ("aged heap", "aged.adjacent", cell_share),
        ("churn", "churn.adjacent", cell_share)]
    for mode in ("churn", "spray", "pair", "resize", "remote"):
        yield f"Reuse: a freed address returns, {mode}", [
            *((f"within {limit} draws", f"{mode}.within{limit}", cell_share)
              for limit in measure.REUSE),
            ("soonest, draws", f"{mode}.within256", cell_soonest)]
    yield "Residue: a dangling pointer reads", [
        ("at once", "after.now", cell_seen),
        ("64 objects later", "after.later", cell_seen),
        ("at once, freed remotely", "after.remote.now", cell_seen),
        ("64 objects later, same", "after.remote.later", cell_seen),
        ("large object", "after.large", cell_seen)]
    yield "Repeated layouts", [
        ("processes", "processes.repeat", cell_hits),
        ("children of fork", "fork.same", cell_hits),
        ("same address, same place", "fork.place", cell_share),
        ("same, new class", "fork.class", cell_share),
        ("same, large object", "fork.large", cell_share)]


def cell_of(cell, figure, n):
    """With the sample's length, if it is not that of the first column."""
    return cell(figure) + (f" of {figure.n}" if figure.n != n else "")


def cells(scores, size):
    """(title or None, label, sample length, cells) of each row."""
    first = next(iter(scores.values()))
    for title, rows in layout(size, first["lag1.shannon"].more["ceiling"]):
        yield title, None, None, None
        for label, key, cell in rows:
            yield None, label, str(first[key].n), [
                cell_of(cell, figures[key], first[key].n)
                for figures in scores.values()]


def terminal(scores, size):
    """For a screen."""
    lines = list(cells(scores, size))
    widths = [max(len(text) for text in (name, *(
        row[3][i] for row in lines if row[3])))
        for i, name in enumerate(scores)]
    head = [f"{size}-byte objects; bounds at "
            f"{stats.CONFIDENCE:.0%} confidence", "",
            f"{'':<28}{'samples':>8}  " + "  ".join(
                f"{name:<{width}}" for name, width in zip(scores, widths))]
    for title, label, n, row in lines:
        head.append(f"{title}" if title else
                    f"  {label:<26}{n:>8}  " + "  ".join(
                        f"{text:<{width}}" for text, width in
                        zip(row, widths)).rstrip())
    return "\n".join(line.rstrip() for line in head)


def markdown(scores, about):
    """For a document."""
    size = about["size"]
    lines = [f"{size}-byte objects, {about['machine']}, {about['libc']}, "
             f"vm.mmap_rnd_bits {about['mmap_rnd_bits']}; bounds at "
             f"{stats.CONFIDENCE:.0%} confidence.", ""]
    for title, label, n, row in cells(scores, size):
        if title:
            lines += ["", f"{title}:", "",
                      "| | samples | " + " | ".join(scores) + " |",
                      "|---|--:|" + "---|" * len(scores)]
        else:
            lines.append(f"| {label} | {n} | " + " | ".join(row) + " |")
    return "\n".join(lines[:1] + lines[2:]) + "\n"
