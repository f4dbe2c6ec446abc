# SPDX-License-Identifier: BSD-3-Clause
"""The tables of the page: allocators, bounds, every figure."""
from html import escape

import benchguest_data as data
import benchguest_events as events
import benchpage_memory as memory
import benchpage_summary as summary
from benchpage_words import number, spread

WHAT = {
    "ukallocrnd-fast": "ours, fewest checks",
    "ukallocrnd": "ours, the default",
    "ukallocrnd-strong": "ours, all checks",
    "mimalloc": "fast, no protection",
    "mimalloc-secure": "its secure build",
    "buddy": "usual in unikernels",
    "floor": "lists per CPU, no protection",
}
STATES = {True: ("met", "met"), False: ("missed", "missed"),
          None: ("soft", "not measured")}
EVENTS = {"locked": "locked operations", "irqflag":
          "changes of the interrupt flag"}
MODES = {"exact": "Exact: instructions of one operation",
         "parallel": "Parallel: operations a second, median (least to most)"}


def row(cells, tag="td", kind=""):
    """A row; cells are HTML."""
    mark = f' class="{kind}"' if kind else ""
    return f"<tr{mark}>" + "".join(f"<{tag}>{cell}</{tag}>"
                                   for cell in cells) + "</tr>"


def table(heads, rows):
    """A table that scrolls by itself where it is too wide."""
    return ('<div class="wide"><table>' + row(heads, "th") +
            "".join(rows) + "</table></div>")


def allocators(rows):
    """All of them in one table."""
    heads = ("Allocator", "64 bytes", "x buddy", "x mi&shy;malloc",
             "longest call", "mem&shy;ory")
    lines = [row((f"{escape(line.alloc)}<small>"
                  f"{WHAT.get(line.alloc, '')}</small>",
                  number(line.pair), number(line.against_buddy, "{:.2f}"),
                  number(line.against_mimalloc, "{:.2f}"),
                  number(line.worst), number(line.memory, "{:.2f}")),
                 kind="ours" if line.alloc in data.OURS.values() else "")
             for line in summary.table(rows)]
    lost = [f"{escape(each['alloc'])} is missing, "
            f"<code>{escape(each['get'])}</code> gets it."
            for each in rows if each["type"] == "missing"]
    return ('<section id="summary"><h2>In one table</h2>' +
            table(heads, lines) +
            '<p class="soft">64 bytes and longest call: instructions, of '
            "malloc and free together and of one call. x buddy, x mimalloc: "
            "how many times the instructions of that allocator, geometric "
            "mean over all exact workloads on one CPU. Memory: how many "
            "times the peak of mimalloc. Lower is better everywhere. "
            f"{' '.join(lost)}</p></section>\n")


def bound(text, notes, value, limit, kind, word):
    """A row of the table of bounds; notes are sentences below the text."""
    small = "".join(f"<small>{escape(note)}</small>" for note in notes
                    if note)
    return row((escape(text) + small, value, limit,
                f'<span class="{kind}">{word}</span>'))


def promises(rows):
    """Bounds, whether they are met, and what else is known."""
    lines = []
    for promise in summary.promises(rows):
        why = promise.why if promise.kept is False else ""
        sign = "&lt;" if promise.strict else "&le;"
        lines.append(bound(promise.text, (promise.about, why),
                           promise.words(promise.value),
                           f"{sign}&nbsp;{promise.words(promise.limit)}",
                           *STATES[promise.kept]))
    lines += [bound(text, (about,), number(value, "{:.2f}"), "-", "soft",
                    "additional, no bound")
              for text, value, about in memory.besides(rows) if value]
    return ('<section id="bounds"><h2>Bounds that were set beforehand</h2>' +
            table(("Bound", "Measured", "Limit", ""), lines) +
            "</section>\n")


def synchronised(rows):
    """How often an operation locks memory, or holds interrupts back."""
    found = summary.synchronised(rows)
    form = "{:,.2f}"
    lines = [row((escape(alloc), *(
        f"{number(pair, form)}<small>median {number(middle, form)}, "
        f"most {number(most, form)}</small>"
        for pair, middle, most in map(found[alloc].get, events.FIELDS))),
                 kind="ours" if alloc in data.OURS.values() else "")
             for alloc in data.ORDER if alloc in found]
    return ('<section id="locked"><h2>Locked operations</h2>' +
            table(("Allocator", *EVENTS.values()), lines) +
            '<p class="soft">Not every instruction takes the same time. A '
            "locked one keeps a piece of memory from all other CPUs for a "
            "moment and waits until all that was written before is done: "
            "some twenty times as long as another, even if no other CPU "
            "wants that piece. Turning interrupts off or on is dear, too, "
            "and what wants to interrupt has to wait. Numbers for one "
            "malloc and one free, on one CPU: of 64 bytes, then the median "
            "of all workloads that mimalloc can run, and the most, where "
            "many pages are mapped. 0 is best.</p></section>\n") \
        if lines else ""


def by_workload(title, rows, cell):
    """A line for each workload, a column for each allocator."""
    allocs = data.allocs_of(rows)
    places = {}
    for each in rows:
        places.setdefault(data.key(each, data.PLACE), {})[
            each["alloc"]] = each
    lines = [row((escape(data.title(next(iter(cells.values())))),
                  *(cell(cells[alloc]) if alloc in cells else "-"
                    for alloc in allocs))) for cells in places.values()]
    return f"<h2>{title}</h2>" + table(
        ("Workload", *map(escape, allocs)), lines) if lines else ""


def single_calls(rows):
    """Each call of the default profile: fast path, slow path, longest."""
    heads = ("Workload", *(f"{call} {name}" for call in ("malloc", "free")
                           for name in ("50 %", "99 %", "99.9 %", "longest")),
             "slow of 1,000", "a slow one")
    found = [each for each in summary.counted(rows)
             if each["alloc"] == summary.BALANCED and "malloc" in each]
    lines = [row((escape(data.title(each)), *(
        number(each[call].get(name)) for call in ("malloc", "free")
        for name in ("p50", "p99", "p999", "max")),
        number(each.get("slow_permille")), number(each.get("slow_mean"))))
             for each in found]
    return (f"<h2>Single calls of {summary.BALANCED}, instructions; slow: "
            "more than three times the median</h2>" + table(heads, lines)) \
        if lines else ""


def left_out(rows):
    """Which allocators some workloads are without, and why."""
    lost = [row((escape(f"{each['name']} {each['size'] or ''}"),
                 escape(each["alloc"]), escape(each["why"])))
            for each in rows if each["type"] == "left-out"]
    return "<h2>Left out</h2>" + table(("Workload", "Allocator", "Why"),
                                       lost) if lost else ""


def every(rows):
    """Every figure, folded."""
    parts = [by_workload(title, data.results(rows, mode), spread)
             for mode, title in MODES.items()]
    parts.append(single_calls(rows))
    parts.append(by_workload(
        "Memory: most bytes mapped for each byte in use",
        [each for each in summary.counted(rows) if each.get("live_peak")],
        lambda each: number(each["mapped_peak"] / each["live_peak"],
                            "{:,.2f}")))
    parts += [by_workload(
        f"Exact: {name} of one operation",
        [each for each in data.results(rows, "exact") if figure in each],
        lambda each, figure=figure: number(each[figure], "{:,.2f}"))
              for figure, name in EVENTS.items()]
    return ("<section><details><summary>Every figure</summary>" +
            "".join(parts) + left_out(rows) + "</details></section>")
