#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the figures of the page, with results that are made up."""
import unittest

import benchguest_data as data
import benchguest_example as example
import benchpage_cost as cost
import benchpage_memory as memory
import benchpage_plots as plots
import benchpage_summary as summary
import benchpage_tables as tables
import benchpage_words as words


class Promises(unittest.TestCase):
    """Bounds and whether they are met."""

    def setUp(self):
        self.rows = example.rows()

    def kept(self):
        """What is said of each bound."""
        return [promise.kept for promise in summary.promises(self.rows)]

    def values(self):
        """What was measured for each bound."""
        return [promise.value for promise in summary.promises(self.rows)]

    def test_values(self):
        """ratios of the example's numbers"""
        expected = [150 / 320, 1.5, 60 / 320, 0.6, 150 * 90, 1,
                    1.25 / 32, 158 / 151]
        for value, want in zip(self.values(), expected, strict=True):
            self.assertAlmostEqual(value, want)
        # Its longest call is longer than mimalloc's, all else fits
        self.assertEqual(self.kept(), [True] * 4 + [False] + [True] * 3)

    def test_missed(self):
        """each bound can be missed"""
        changes = ((0, "ukallocrnd", "value", 2), (1, "mimalloc", "value",
                                                   0.5),
                   (2, "ukallocrnd-fast", "value", 2),
                   (3, "mimalloc", "value", 0.3),
                   (5, "ukallocrnd", "mapped_peak", 1.3),
                   (6, "buddy", "mapped_peak", 0.3))
        for place, alloc, field, times in changes:
            self.rows = example.rows()
            for row in summary.counted(self.rows):
                if row["alloc"] == alloc:
                    row[field] *= times
            self.assertIs(self.kept()[place], False, (place, alloc))

    def add_single(self):
        """Two workloads with one small object."""
        for alloc, size in (("ukallocrnd", 1 << 20), ("mimalloc", 1 << 15),
                            ("buddy", 4096)):
            for name in ("pair", "calloc"):
                row = example.exact_row(alloc, name, 8)
                row.update(live_peak=8, live_objects=1, mapped_peak=size)
                self.rows.append(row)

    def test_why(self):
        """a bound of memory that is missed says why, with figures"""
        self.assertNotIn("Because", tables.promises(self.rows))
        self.add_single()
        whys = [promise.why for promise in summary.promises(self.rows)][5:7]
        self.assertIn("512 KiB before its first object and 1,024 KiB with it, "
                      "mimalloc 32 KiB: in 2 workloads", whys[0])
        self.assertIn("the mean is 32.00.", whys[0])
        self.assertIn("in 2 of 14 workloads one object is live", whys[1])
        page = tables.promises(self.rows)
        self.assertIn("1,024 KiB with it, mimalloc 32 KiB", page)
        self.assertIn("the buddy has one page of 4 KiB", page)

    def test_why_cost(self):
        """one of instructions says why, too, if both kinds were measured"""
        places = {("lifo", 64, 0): {"ukallocrnd": 200, "buddy": 400},
                  ("fifo", 1024, 0): {"ukallocrnd": 800, "buddy": 400},
                  ("mixed", 0, 9): {"ukallocrnd": 9000, "buddy": 400},
                  ("lifo", 4096, 0): {"ukallocrnd": 1370, "buddy": 400},
                  ("pair", 64, 0): {"ukallocrnd-fast": 110, "buddy": 320}}
        why = cost.why_balanced(places, "buddy")
        self.assertIn("take 1,370 instructions of 4 KiB.", why)
        self.assertIn("In the 2 workloads of one size up to 1 KiB the mean "
                      "is 1.00.", why)
        self.assertEqual(cost.why_balanced(places, "mimalloc"), "")
        why = cost.why_fast(places, "buddy")
        self.assertIn("take 110 instructions, 320 in buddy. In the 1 "
                      "workloads", why)
        del places["pair", 64, 0]
        self.assertEqual(cost.why_fast(places, "buddy"), "")

    def test_references(self):
        """a missed bound says what those have that protect nothing"""
        places = {("lifo", size, 0): {"buddy": 400, "floor": 100,
                                      "mimalloc": size} for size in (50, 200)}
        self.assertEqual(summary.of_references(places, "buddy"),
                         " The same mean is 0.25 of free lists without any "
                         "protection (floor) and 0.25 of mimalloc.")
        self.assertEqual(summary.of_references(places, "mimalloc"),
                         " The same mean is 1.00 of free lists without any "
                         "protection (floor).")
        self.assertEqual(summary.of_references({}, "buddy"), "")
        self.assertNotIn("The same mean", tables.promises(self.rows))
        for row in summary.counted(self.rows):
            if row["alloc"] == "ukallocrnd":
                row["value"] *= 2
        self.assertIn("The same mean is 0.16 of free lists",
                      tables.promises(self.rows))

    def test_why_worst(self):
        """the longest call says why if it frees a large object"""
        rows = [{"alloc": "ukallocrnd", "size": size, "malloc": {"max": 9},
                 "free": {"max": longest}}
                for size, longest in ((64, 100), (4 << 20, 163840))]
        why = cost.why_worst(rows, "ukallocrnd", 163840)
        self.assertIn("object of 4 MiB", why)
        self.assertIn("1,024 pages", why)
        self.assertIn(" 160 instructions", why)
        self.assertEqual(cost.why_worst(rows, "ukallocrnd", 100), "")
        self.assertEqual(cost.why_worst(rows, "buddy", 163840), "")

    def test_besides(self):
        """means where more is live: small workloads do not count"""
        before = list(memory.besides(self.rows))
        self.assertEqual([round(value, 4) for _, value, _ in before],
                         [1, round(1.25 / 32, 4)])
        self.add_single()
        self.assertEqual(list(memory.besides(self.rows)), before)
        self.assertEqual(tables.promises(self.rows).count(
            "additional, no bound"), 2)

    def test_growth(self):
        """the worst private workload counts, others do not"""
        def grow(name):
            for row in summary.counted(self.rows, data.COUNTED_ALL):
                if row["alloc"] == "ukallocrnd" and row["name"] == name and \
                        row["cpus"] == 8:
                    row["value"] *= 2
        grow("larson")
        self.assertIs(self.kept()[7], True)
        grow("pair")
        self.assertIs(self.kept()[7], False)

    def test_worst(self):
        """a longest call as long as mimalloc's is not below it"""
        for row in summary.counted(self.rows):
            if row["alloc"] == "ukallocrnd":
                row["malloc"]["max"] = row["free"]["max"] = 9000
        self.assertIs(self.kept()[4], False)
        for row in summary.counted(self.rows):
            if row["alloc"] == "ukallocrnd":
                row["malloc"]["max"] = row["free"]["max"] = 8999
        self.assertIs(self.kept()[4], True)

    def test_alone(self):
        """a call of a workload that mimalloc cannot run is told apart"""
        alone = example.exact_row("ukallocrnd", "exhaust", 0)
        alone["malloc"]["max"] = 5 * 10 ** 8
        self.rows.append(alone)
        promise = list(summary.promises(self.rows))[4]
        self.assertEqual(promise.value, 13500)
        self.assertIn("500,000,000 in exhaust", promise.about)

    def test_unmeasured(self):
        """what was not measured is not kept"""
        self.rows = example.plain_rows()
        self.assertEqual(self.kept(), [True] * 4 + [None] * 4)
        self.rows = [row for row in self.rows if row["alloc"] != "mimalloc"]
        self.assertEqual(self.kept(), [True, None, True] + [None] * 5)
        self.assertEqual(tables.promises(self.rows).count("not measured"), 6)


class Words(unittest.TestCase):
    """Tables and sentences."""

    def test_summary(self):
        """the first paragraph has means and counts"""
        said = words.in_short(example.rows())
        self.assertIn("1.50 times the instructions of mimalloc", said)
        self.assertIn("met: 7, missed: 1, not measured: 0", said)

    def test_lines(self):
        """each allocator has a line, in the fixed order"""
        lines = list(summary.table(example.rows()))
        self.assertEqual([line.alloc for line in lines], list(data.ORDER))
        self.assertAlmostEqual(lines[1].memory, 1)
        self.assertAlmostEqual(lines[5].memory, 32 / 1.25)

    def test_quantiles(self):
        """means of quantiles, and the longest of all calls"""
        values = summary.quantiles(example.rows(), "buddy")
        for value, want in zip(values, (160, 320, 1280, 28800), strict=True):
            self.assertAlmostEqual(value, want)
        self.assertIsNone(summary.quantiles(example.plain_rows(), "buddy"))

    def test_left_out(self):
        """what was left out or is missing is told with its reason"""
        rows = example.rows() + [
            {"type": "left-out", "name": "irq", "size": 0, "alloc": "buddy",
             "why": "<not for it>"},
            {"type": "missing", "alloc": "mimalloc", "get": "make mimalloc"}]
        self.assertIn("&lt;not for it&gt;", tables.every(rows))
        self.assertIn("make mimalloc", tables.allocators(rows))

    def test_every(self):
        """the folded part has single calls and memory, if there are any"""
        shown = tables.every(example.rows())
        self.assertIn("<td>13,500</td>", shown)
        self.assertIn("<td>32.00</td>", shown)
        self.assertIn("(5,625,000 to", shown)
        self.assertNotIn("Single calls", tables.every(example.plain_rows()))

    def test_synchronised(self):
        """locked operations of the pair and on average, if counted"""
        rows = example.rows()
        changed = next(row for row in summary.counted(rows)
                       if (row["name"], row["size"], row["alloc"]) ==
                       ("pair", 64, "buddy"))
        changed["locked"] = 30
        found = summary.synchronised(rows)
        self.assertEqual(found["buddy"]["locked"], (30, 2, 30))
        self.assertEqual(found["buddy"]["irqflag"], (4, 4, 4))
        self.assertEqual(found["floor"]["locked"], (0, 0, 0))
        shown = tables.synchronised(rows)
        self.assertIn("<td>buddy</td><td>30.00<small>median 2.00, most "
                      "30.00</small></td><td>4.00<small>median 4.00, most "
                      "4.00</small></td>", shown)
        self.assertIn("locked operations of one operation",
                      tables.every(rows))
        plain = example.plain_rows()
        self.assertEqual(tables.synchronised(plain), "")
        self.assertNotIn("locked operations", tables.every(plain))

    def test_speeds(self):
        """throughput is relative to one CPU, with its spread"""
        middle, least, most = plots.speeds(example.rows())["buddy"][8]
        self.assertAlmostEqual(middle, 2, places=4)
        self.assertAlmostEqual(least, 1.8, places=4)
        self.assertAlmostEqual(most, 2.2, places=4)


if __name__ == "__main__":
    unittest.main()
