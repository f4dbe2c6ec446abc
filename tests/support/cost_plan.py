# SPDX-License-Identifier: BSD-3-Clause
"""What is measured for make bench-cost, and what the figures must satisfy.

A protection is a bool option whose help names a mechanism. Its cost *alone*
is what it adds to a library that has nothing but what it depends on; its cost
*in BALANCED* is what BALANCED saves without it, and without what depends on
it, or what it adds if BALANCED does not have it. An option that is a number
is another value in BALANCED.
"""
import dataclasses
import statistics

import configs

SIZES = (64, 1024)  # bytes
# Numbers that are worth a row
NUMBERS = (("QUARANTINE_RANDOM", 128), ("QUARANTINE_FIFO", 1024),
           ("CHOICE", 96), ("CHACHA_ROUNDS", 20))
WHERE = {"alone": "alone", "in": "in BALANCED"}
SPREAD = 0.5  # instructions between two counts of the same
SPREAD_SAMPLES = 4  # with samples: some 16 in a count, dear ones
# A protection may save so many: the compiler has other registers left, and a
# kind that is known makes one comparison of two
SAVED = 6.0


@dataclasses.dataclass
class Figures:
    """What one configuration takes."""

    config: configs.Config
    values: dict  # all options
    counts: dict  # size -> instructions of a pair, each time it was counted
    peaks: dict   # program -> KiB

    def mean(self, size):
        """Instructions of a pair."""
        return statistics.mean(self.counts[size])


@dataclasses.dataclass
class Row:
    """A cost is the difference of two configurations."""

    option: str
    kind: str     # alone, in or number
    dearer: str   # name of the configuration that has it
    cheaper: str
    value: int = 0   # of a number
    is_added: bool = False  # BALANCED is the cheaper one


@dataclasses.dataclass
class Cost:
    """A row with its figures."""

    row: Row
    instructions: dict  # by size
    peaks: dict         # KiB, by program
    others: list        # options that changed with it

    def record(self):
        """For a line of JSON."""
        return {"type": "cost", **dataclasses.asdict(self.row),
                "instructions": self.instructions, "peak_kib": self.peaks,
                "others": self.others}


class Plan:
    """Configurations, and which of them are compared."""

    def __init__(self, kconf):
        self.options = configs.mitigations(kconf)
        self.symbols = {sym.name: sym for sym in configs.own_symbols(kconf)}
        self.kept = {}   # what is chosen -> configuration
        self.rows = []
        balanced = self.profile("BALANCED").name
        self.levels = [self.keep(configs.only("none", self.options, ())).name,
                       *(self.profile(which).name for which in
                         configs.PROFILES)]
        self.protections = [name for name in self.options if
                            configs.told(self.symbols[name], "Mechanism")]
        on = {name for name in self.options
              if self.symbols[name].str_value == "y"}
        for name in self.protections:
            self.add_alone(name)
            self.add_in(name, on, balanced)
        for short, value in NUMBERS:
            name = configs.PREFIX + short
            dearer = self.profile("BALANCED", {name: value},
                                  f"{short.lower()}-{value}")
            self.rows.append(Row(name, "number", dearer.name, balanced,
                                 value, True))

    def keep(self, config):
        """The configuration, or the one before that chooses the same."""
        return self.kept.setdefault(tuple(sorted(config.chosen.items())),
                                    config)

    def profile(self, which, changes=None, words=""):
        """A profile, changed perhaps."""
        config = configs.profile(which, changes)
        config.name += f"-{words}" if words else ""
        return self.keep(config)

    def add_alone(self, name):
        """What it depends on, and itself."""
        under = configs.needed(name, self.options)
        short = configs.short(name).lower()
        cheaper = self.keep(configs.only(f"under-{short}", self.options,
                                         under - {name}))
        dearer = self.keep(configs.only(f"only-{short}", self.options, under))
        self.rows.append(Row(name, "alone", dearer.name, cheaper.name))

    def add_in(self, name, on, balanced):
        """BALANCED and itself, or without."""
        short = configs.short(name).lower()
        if name in on:
            off = configs.dependent(name, self.options) & on
            other = self.profile("BALANCED", dict.fromkeys(off, False),
                                 f"without-{short}")
            self.rows.append(Row(name, "in", balanced, other.name))
        else:
            more = configs.needed(name, self.options) - on
            other = self.profile("BALANCED", dict.fromkeys(more, True),
                                 f"with-{short}")
            self.rows.append(Row(name, "in", other.name, balanced,
                                 is_added=True))

    def configurations(self):
        """Each once, those of the levels first."""
        return sorted(self.kept.values(),
                      key=lambda config: config.name not in self.levels)

    def costs(self, found):
        """The rows with figures."""
        return [cost_of(row, found) for row in self.rows]


def cost_of(row, found):
    """The difference of two configurations."""
    dearer, cheaper = found[row.dearer], found[row.cheaper]
    others = [name for name, value in dearer.values.items()
              if value != cheaper.values[name] and name != row.option]
    return Cost(row, {size: dearer.mean(size) - cheaper.mean(size)
                      for size in SIZES},
                {key: dearer.peaks[key] - cheaper.peaks[key]
                 for key in dearer.peaks}, others)


def judge_counts(found):
    """Counts of the same library differ by the random numbers only."""
    for figures in found.values():
        spread = SPREAD_SAMPLES if figures.values.get(
            f"{configs.PREFIX}SAMPLE") == "y" else SPREAD
        for size, counts in figures.counts.items():
            if min(counts) <= 0 or max(counts) - min(counts) > spread:
                yield (f"{figures.config.name}: counts of {size} bytes "
                       f"cannot be repeated: {counts}")


def judge_levels(plan, found):
    """Nothing, FAST, BALANCED, STRONG: each costs more than the last."""
    for less, more in zip(plan.levels, plan.levels[1:]):
        for size in SIZES:
            if found[more].mean(size) < found[less].mean(size) - SAVED:
                yield f"{more} costs less than {less} at {size} bytes"


def judge_costs(costs):
    """No protection makes the library faster, and the difference is in the
    option: one that changes nothing was not measured."""
    for cost in costs:
        name = configs.short(cost.row.option)
        if cost.row.kind != "number":
            for size, value in cost.instructions.items():
                if value < -SAVED:
                    yield (f"{name} {WHERE[cost.row.kind]} saves "
                           f"{-value:.1f} instructions at {size} bytes")


def judge_options(costs, found):
    """The two libraries of a row differ in its option."""
    for cost in costs:
        row = cost.row
        pair = [found[name].values[row.option]
                for name in (row.dearer, row.cheaper)]
        wanted = str(row.value) if row.kind == "number" else "y"
        if pair[0] != wanted or pair[1] == wanted:
            yield (f"{configs.short(row.option)} is {pair[0]} in "
                   f"{row.dearer} and {pair[1]} in {row.cheaper}")


def judge(plan, found, costs):
    """Everything that is wrong with the figures."""
    return [*judge_counts(found), *judge_options(costs, found),
            *judge_levels(plan, found), *judge_costs(costs)]
