# SPDX-License-Identifier: BSD-3-Clause
"""From addresses to figures.

Each function takes a probe, lets it run, and yields figures. What the words
mean that the probe writes is said at its modes in probe.h.
"""
import collections
import dataclasses

import picks
import stats

SPACE = 1 << 47  # of addresses; distances are taken modulo this
PAGE_SHIFT = 12
ROW = 65  # PROBE_ROW_LEN
LAGS = (1, 8, 64)
# Words of the mode "start" behind the first row, and where the second begins
OTHER, LARGE, LARGE_2, LIBC, PROGRAM, STACK, WARM = range(ROW, ROW + 7)
REUSE = (256, 1024, 4096)  # the last one is PROBE_SPRAY_LEN
BATCH = 64  # PROBE_REMOTE_BATCH
SEEN = ("zero", "fault", "stale", "other", "reused")
LOOKS = ("now", "later", "remote.now", "remote.later", "large")
CHILDREN = 16  # PROBE_CHILDREN
FORK_ROW = ROW + 3
# Objects in a row that make a layout; two of them that agree by chance have
# a probability that does not matter
LAYOUT = 8


@dataclasses.dataclass
class Figure:
    """One result. low and high are its bounds (stats.CONFIDENCE)."""

    name: str
    value: float
    n: int
    low: float = None
    high: float = None
    more: dict = dataclasses.field(default_factory=dict)

    def record(self):
        """As an object of JSON."""
        kept = {key: value for key, value in (
            ("name", self.name), ("value", self.value), ("n", self.n),
            ("low", self.low), ("high", self.high)) if value is not None}
        return {**kept, **self.more}


def distance(a, b):
    """From b to a."""
    return (a - b) % SPACE


def signed(value):
    """A distance as a number that may be negative."""
    return value - SPACE if value >= SPACE // 2 else value


def share(name, hits, n, **more):
    """Figure of a probability; without a trial nothing is known."""
    low, high = stats.share_interval(hits, n) if n else (0.0, 1.0)
    return Figure(name, hits / max(n, 1), n, low, high,
                  {"hits": hits, **more})


def base_figures(rows):
    """How much of an address, or of a distance, differs from one process to
    another."""
    kinds = {
        "base": [row[0] for row in rows],
        "class": [distance(row[OTHER], row[0]) for row in rows],
        "large": [distance(row[LARGE_2], row[LARGE]) for row in rows],
        "libc": [distance(row[0], row[LIBC]) for row in rows],
        "program": [distance(row[0], row[PROGRAM]) for row in rows],
        "stack": [distance(row[0], row[STACK]) for row in rows],
    }
    for name, values in kinds.items():
        pages = [value >> PAGE_SHIFT for value in values]
        guess, error = stats.address_entropy(pages)
        yield Figure(f"{name}.bits", stats.varying_bits(values), len(values))
        yield Figure(f"{name}.page_bits", stats.varying_bits(pages),
                     len(values), more={"entropy": guess, "error": error})


def distance_figures(name, distances):
    """Entropy of one distance, seen in many processes."""
    counter = collections.Counter(distances)
    counts, n = list(counter.values()), len(distances)
    value, most = stats.most_common(counter)
    error = 2.576 * stats.entropy_error(counts)
    plain = stats.entropy(counts)
    low, high = stats.share_interval(most, n)
    yield Figure(f"{name}.shannon", plain, n, max(0.0, plain - error),
                 plain + error,
                 {"corrected": stats.miller_madow(counts),
                  "ceiling": stats.bits_of(1 / n)})
    yield Figure(f"{name}.min", stats.bits_of(most / n), n,
                 stats.bits_of(stats.share_bound(most, n)))
    yield Figure(f"{name}.top", most / n, n, low, high,
                 {"hits": most, "distance": signed(value),
                  "values": len(counts)})


def process_figures(rows):
    """All figures of many first objects."""
    yield from base_figures(rows)
    for prefix, start in (("", 0), ("warm.", WARM)):
        for lag in LAGS:
            yield from distance_figures(f"{prefix}lag{lag}", [
                distance(row[start + lag], row[start]) for row in rows])
    layouts = collections.Counter(
        tuple(distance(addr, row[0]) for addr in row[1:LAYOUT + 1])
        for row in rows)
    yield share("processes.repeat", len(rows) - len(layouts), len(rows))


def stride(addrs):
    """Smallest distance of two objects: neighbours without a gap."""
    ordered = sorted(set(addrs))
    return min(b - a for a, b in zip(ordered, ordered[1:]))


def adjacent(addrs, step, row=0):
    """(hits, n) of pairs that follow each other and are neighbours, on
    either side; row: length of the runs that pairs must not cross."""
    pairs = [abs(b - a) == step for i, (a, b) in
             enumerate(zip(addrs, addrs[1:])) if not row or (i + 1) % row]
    return sum(pairs), len(pairs)


def draw_figures(name, addrs, step, row=0):
    """Adjacency, and the distance of consecutive objects in one process."""
    hits, n = adjacent(addrs, step, row)
    yield share(f"{name}.adjacent", hits, n, stride=step)
    counter = collections.Counter(b - a for a, b in zip(addrs, addrs[1:]))
    value, most = stats.most_common(counter)
    n = len(addrs) - 1
    yield Figure(f"{name}.min", stats.bits_of(most / n), n,
                 stats.bits_of(stats.share_bound(most, n)),
                 more={"hits": most, "distance": value,
                       "values": len(counter)})


def pick_figure(name, found, n):
    """The best strategy of an attacker, and all others."""
    strategy, value, low = picks.best_strategy(found)
    return Figure(name, value, n, low, more={
        "strategy": strategy,
        "strategies": {key: bits for key, (bits, _) in found.items()}})


def reuse_figures(name, rounds, draws):
    """rounds: (freed addresses, then drawn ones). A free is a trial if
    enough draws follow it to see whether the longest distance is reached."""
    since, hits, trials, done = {}, collections.Counter(), 0, 0
    soonest = None
    for freed, drawn in rounds:
        since.update((addr, done) for addr in freed)
        if done + REUSE[-1] <= draws:
            trials += len(freed)
        for addr in drawn:
            done += 1
            start = since.pop(addr, None)
            if start is None or start + REUSE[-1] > draws:
                continue
            age = done - start
            soonest = age if soonest is None else min(soonest, age)
            for limit in REUSE:
                hits[limit] += age <= limit
    for limit in REUSE:
        yield share(f"{name}.within{limit}", hits[limit], trials,
                    soonest=soonest)


def growth(probe, n):
    """Objects are drawn and kept."""
    addrs = probe.words("growth", n)
    step = stride(addrs)
    holes = picks.all_chances(addrs)
    yield from draw_figures("growth", addrs, step)
    yield pick_figure("growth.pick", picks.growth_bits(addrs, holes), n)
    yield Figure("growth.stretch.min", picks.worst_stretch(holes), n)


def churn(probe, n, step):
    """Objects come and go: draws and reuse."""
    words = probe.words("churn", n)
    freed, drawn = words[::2], words[1::2]
    yield from draw_figures("churn", drawn, step)
    yield pick_figure("churn.pick", picks.churn_bits(freed, drawn), n)
    yield from reuse_figures("churn", (((a,), (b,)) for a, b in
                                       zip(freed, drawn)), n)


def aged(probe, n, step):
    """A part of the heap is freed and drawn again."""
    row = probe.live // 4
    yield from draw_figures("aged", probe.words("aged", n), step, row)


def reuse(probe, n, trials):
    """The patterns of reuse that are not churn."""
    for mode in ("pair", "resize"):
        words = probe.words(mode, n)
        yield from reuse_figures(mode, ((((a,) if a else ()), (b,)) for a, b
                                        in zip(words[::2], words[1::2])), n)
    words = probe.words("remote", n)
    rounds = [(words[i:i + BATCH], words[i + BATCH:i + 2 * BATCH])
              for i in range(0, len(words), 2 * BATCH)]
    yield from reuse_figures("remote", rounds, len(words) // 2)
    found = probe.words("spray", trials)
    for limit in REUSE:
        yield share(f"spray.within{limit}",
                    sum(0 < at <= limit for at in found), len(found),
                    soonest=min((at for at in found if at), default=None))


def after(probe, trials):
    """What a dangling pointer reads: parts that are not zero nor a fault
    are the value, each kind is beside it."""
    words = probe.words("after", trials)
    for i, look in enumerate(LOOKS):
        seen = collections.Counter(SEEN[word] for word in
                                   words[i::len(LOOKS)])
        bad = trials - seen["zero"] - seen["fault"] - seen["reused"]
        yield share(f"after.{look}", bad, trials, **seen)


def same_children(rows):
    """Children whose layout another child, or the parent, has as well."""
    layouts = [tuple(row[:LAYOUT]) for row in rows]
    seen = collections.Counter(layouts)
    return sum(seen[layout] > 1 for layout in layouts[:CHILDREN])


def coincidences(rows, columns):
    """(hits, n) of pairs of processes that have the same address at the same
    place of their rows."""
    hits = sum(sum(c * (c - 1) // 2 for c in
                   collections.Counter(row[i] for row in rows).values())
               for i in columns)
    return hits, len(rows) * (len(rows) - 1) // 2 * len(columns)


def fork(probe, rounds):
    """Children of one parent, and the parent."""
    words = probe.words("fork", rounds)
    rows = [words[i:i + FORK_ROW] for i in range(0, len(words), FORK_ROW)]
    families = [rows[i:i + CHILDREN + 1]
                for i in range(0, len(rows), CHILDREN + 1)]
    yield share("fork.same", sum(map(same_children, families)),
                CHILDREN * len(families))
    for name, columns in (("place", range(ROW)), ("class", [ROW]),
                          ("large", [ROW + 1, ROW + 2])):
        found = [coincidences(family, columns) for family in families]
        yield share(f"fork.{name}", sum(hits for hits, _ in found),
                    sum(n for _, n in found))
