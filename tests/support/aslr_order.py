# SPDX-License-Identifier: BSD-3-Clause
"""The order of the libraries in the address space.

The number of orders is far too large for any number of boots to see all of
them. What can be seen: each library is equally often the first, the second
and so on, each of two comes first as often as the other, and no order
occurs twice. Then log2(N!) is what N libraries have.
"""
import dataclasses
import itertools
import math

import aslr_stat as stat
import aslr_table as table


@dataclasses.dataclass(frozen=True)
class Order:
    """Of the text of all libraries."""

    names: list
    tests: dict  # {what: p}

    @property
    def bits(self):
        """log2(N!)"""
        return math.lgamma(len(self.names) + 1) / math.log(2)


def order(bases):
    """bases: {name of a row: [base of each boot]}"""
    names = [name for name in bases if table.is_library_text(name)]
    if len(names) < 2:
        return Order(names, {})
    boots = list(zip(*(bases[name] for name in names)))
    ranks = [[sorted(places).index(place) for place in places]
             for places in boots]
    tests = {f"place of {name} among libraries": stat.positions_p(
        [rank[at] for rank in ranks], len(names))
             for at, name in enumerate(names)}
    for one, two in itertools.combinations(range(len(names)), 2):
        before = sum(rank[one] < rank[two] for rank in ranks)
        z = (2 * before - len(ranks)) / math.sqrt(len(ranks))
        tests[f"{names[one]} before {names[two]}"] = stat.normal_p(z)
    p = stat.duplicates_p([tuple(rank) for rank in ranks],
                          math.factorial(len(names)))
    if p is not None:
        tests["order of libraries twice"] = p
    return Order(names, tests)
