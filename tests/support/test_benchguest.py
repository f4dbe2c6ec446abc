#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the guest's results and of their comparison, with figures made
up, each with one fault."""
import contextlib
import io
import pathlib
import tempfile
import unittest

import benchguest
import benchguest_check
import benchguest_compare
import benchguest_data as data
import benchguest_events as events
import benchguest_example as example
import configs


class Compare(unittest.TestCase):
    """Two files of which one has a fault."""

    def setUp(self):
        self.rows = example.rows()
        self.head = example.header()

    def row(self, mode="exact"):
        """A row to change."""
        return data.results(self.rows, mode)[5]

    def run_main(self, *words):
        """(exit status, output) of bench-compare; the second file has the
        rows of the test."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder, name) for name in "AB"]
            paths[0].write_text(data.lines([example.header(),
                                            *example.rows()]))
            paths[1].write_text(data.lines([self.head, *self.rows]))
            said = io.StringIO()
            with contextlib.redirect_stdout(said), \
                    contextlib.redirect_stderr(said):
                status = benchguest_compare.main([*words, *map(str, paths)])
            return status, said.getvalue()

    def test_same(self):
        """nothing changed; headers are not compared"""
        self.head["commit"] = "another"
        self.head["config"] = {"X": "y"}
        status, said = self.run_main()
        self.assertEqual(status, 0)
        self.assertIn("0 exact figures changed, 0 are worse", said)
        self.assertIn("the same, byte for byte", said)
        self.assertNotIn("another", said)

    def test_fingerprint(self):
        """what is exact counts, to the last digit, and nothing else"""
        mark = data.fingerprint(self.rows)
        self.assertEqual(len(mark), 64)
        self.row("parallel")["value"] += 1
        self.assertEqual(data.fingerprint(self.rows), mark)
        self.assertIn("byte for byte", self.run_main()[1])
        self.row()["ops"] += 1
        self.assertNotEqual(data.fingerprint(self.rows), mark)
        self.assertNotIn("byte for byte", self.run_main()[1])

    def test_worse(self):
        """a regression above the bound fails, one below does not"""
        self.row()["value"] *= 1.02
        status, said = self.run_main()
        self.assertEqual(status, 1)
        self.assertIn("+2.00 %  WORSE", said)
        self.assertEqual(self.run_main("--bound", "3")[0], 0)
        self.rows = example.rows()
        self.row()["value"] *= 1.009
        status, said = self.run_main()
        self.assertEqual(status, 0)
        self.assertIn("1 exact figures changed, 0 are worse", said)

    def test_inner(self):
        """so does one of a figure inside an object, and of memory"""
        self.row()["free"]["max"] += 1000
        self.assertIn("free.max", self.run_main()[1])
        self.assertEqual(self.run_main()[0], 1)
        self.rows = example.rows()
        self.row()["mapped_peak"] *= 2
        self.assertEqual(self.run_main()[0], 1)

    def test_from_zero(self):
        """something from nothing is a regression"""
        self.row()["faults"] = 1
        status, said = self.run_main()
        self.assertEqual(status, 1)
        self.assertIn("+inf %", said)

    def test_better(self):
        """an improvement is told and does not fail"""
        self.row()["value"] /= 2
        status, said = self.run_main()
        self.assertEqual(status, 0)
        self.assertIn("-50.00 %", said)

    def test_neutral(self):
        """another number of operations is told and does not fail"""
        self.row()["ops"] *= 2
        status, said = self.run_main()
        self.assertEqual(status, 0)
        self.assertIn("+100.00 %", said)

    def test_missing(self):
        """rows and figures that only one file has are told"""
        self.rows.remove(self.row())
        del self.row()["slow_mean"]
        self.row()["extra"] = 3
        self.rows.append(dict(self.row(), name="novel"))
        status, said = self.run_main()
        self.assertEqual(status, 0)
        self.assertIn("missing in B: pair 16, buddy\n", said)
        self.assertIn(": slow_mean", said)
        self.assertIn("new in B: novel", said)
        self.assertIn("2 missing, 2 new", said)

    def test_parallel(self):
        """times are shown with their spread and not judged"""
        row = self.row("parallel")
        row["value"] = row["min"] = 1
        status, said = self.run_main()
        self.assertEqual(status, 0)
        self.assertIn("1 (1 to", said)

    def test_damaged(self):
        """what is no result ends in a sentence"""
        self.rows.append(self.row())
        status, said = self.run_main()
        self.assertEqual(status, 2)
        self.assertIn("twice", said)
        self.rows = []
        self.assertIn("B: has no exact result", self.run_main()[1])
        self.head = {"type": "bench"}
        self.assertIn("the first line is no header", self.run_main()[1])
        with self.assertRaisesRegex(data.Damaged, "No such file"):
            data.read("/nowhere")
        with self.assertRaisesRegex(data.Damaged, "x:1: is no JSON"):
            data.parse("{", "x")


class Rows(unittest.TestCase):
    """How rows are put together."""

    def test_names(self):
        """ours is named by its profile, references by themselves"""
        ours = {"alloc": "ukallocrnd"}
        for profile, name in data.OURS.items():
            self.assertEqual(benchguest.own_row(ours, profile)["alloc"], name)
        self.assertEqual(benchguest.own_row({"alloc": "buddy"}, "BALANCED"),
                         {"alloc": "buddy"})

    def measured(self, allocs):
        """Rows of all profiles, each with a workload that needs none."""
        args = benchguest.parser_of("").parse_args(["--allocs", allocs])
        row = example.exact_row("ukallocrnd", "pair", 64)
        image = [row, {**row, "name": "mmap-churn", "alloc": data.NOBODY}]
        return [row for profile in benchguest.profiles_of(args)
                for row in benchguest.own_rows(args, image, profile)]

    def test_once(self):
        """what needs no allocator is in a file once, which can be compared"""
        for allocs in ("", "ukallocrnd-fast,ukallocrnd-strong"):
            rows = self.measured(allocs)
            self.assertEqual([row["alloc"] for row in rows
                              if row["name"] == "mmap-churn"], [data.NOBODY])
            self.assertEqual(benchguest_compare.compare(rows, rows).changes,
                             [])

    def chosen(self, text):
        """{profile: words of a boot} of a list of allocators."""
        args = benchguest.parser_of("").parse_args(["--allocs", text])
        return {profile: benchguest.words_of(args, profile)
                for profile in benchguest.profiles_of(args)}

    def test_chosen(self):
        """profiles and references that are asked for, no others"""
        ours = " alloc=ukallocrnd"
        self.assertEqual(self.chosen(""), {"FAST": ours, "BALANCED": "",
                                           "STRONG": ours})
        self.assertEqual(self.chosen("ukallocrnd-strong"), {"STRONG": ours})
        self.assertEqual(self.chosen("ukallocrnd-fast,buddy"), {
            "FAST": ours, "BALANCED": " alloc=buddy"})
        self.assertEqual(self.chosen("mimalloc,ukallocrnd"), {
            "BALANCED": " alloc=mimalloc,ukallocrnd"})

    def test_unknown(self):
        """a name that is none is told, with those that are"""
        said = io.StringIO()
        with contextlib.redirect_stderr(said), \
                self.assertRaises(SystemExit):
            self.chosen("buddy,mimaloc")
        self.assertIn("mimaloc is no allocator; there are ukallocrnd-fast, "
                      "ukallocrnd,", said.getvalue())

    def test_profiles(self):
        """each image has its profile, and no order that is drawn"""
        for profile in data.OURS:
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "choices")
                benchguest.config_of(profile).write(path)
                kconf = configs.kconf_of(path)
            name = f"{configs.PREFIX}PROFILE_{profile}"
            self.assertEqual(kconf.syms[name].str_value, "y")
            self.assertEqual(kconf.syms["RANDOMIZE_BUILD"].str_value, "n")
            self.assertEqual(kconf.syms["UKPLAT_PROFILE_BALANCED"].str_value,
                             "y")

    def test_changed(self):
        """options that differ, switched off ones too"""
        self.assertEqual(benchguest.changed(
            {"A": "y", "B": "1", "C": "y"}, {"B": "2", "C": "y", "D": "y"}),
            {"A": "n", "B": "2", "D": "y"})

    def test_rounds(self):
        """medians of the rounds, least and most of all"""
        rounds = [[dict(example.parallel_row("buddy", 1), value=value,
                        min=value - 1, max=value + 1)]
                  for value in (50, 10, 30)]
        row, = benchguest.merged(rounds)
        self.assertEqual([row[name] for name in ("value", "min", "max",
                                                 "reps")], [30, 9, 51, 15])

    def test_means(self):
        """geometric means over what both have"""
        places = {1: {"a": 2, "b": 1}, 2: {"a": 8, "b": 1}, 3: {"a": 5}}
        mean, count = data.mean_ratio(places, "a", "b")
        self.assertAlmostEqual(mean, 4)
        self.assertEqual(count, 2)
        self.assertEqual(data.mean_ratio(places, "b", "c"), (None, 0))


class Events(unittest.TestCase):
    """Lines of the plug-in beside rows of the guest."""

    def setUp(self):
        self.rows = [{"type": "missing", "alloc": "mimalloc"},
                     {"type": "known", "locked": 40, "irqflag": 30},
                     {"type": "bench", "unit": data.COUNTED, "ops": 8},
                     {"type": "left-out", "name": "irq"},
                     {"type": "bench", "unit": data.COUNTED_ALL, "ops": 3}]
        self.text = "40 30\n4 0\n1 9\n"

    def test_joined(self):
        """each result has its own numbers, for an operation"""
        rows = events.joined(self.rows, self.text)
        self.assertEqual([row["type"] for row in rows],
                         ["missing", "bench", "left-out", "bench"])
        self.assertEqual([(row["locked"], row["irqflag"]) for row in rows
                          if row["type"] == "bench"],
                         [(0.5, 0.0), (0.33, 3.0)])
        self.assertEqual([events.without(row) for row in rows],
                         [row for row in self.rows if row["type"] != "known"])

    def test_wrong(self):
        """lines more or less, other known numbers, none at all"""
        for text, said in ((self.text + "0 0\n", "4 lines .* for 3 rows"),
                           ("40 30\n4 0\n", "2 lines"), ("", "0 lines"),
                           (self.text.replace("40", "39"),
                            r"counted \(39, 30\) events instead of"),
                           (self.text.replace("30", "31"), "40, 31"),
                           ("4\n4 0\n1 9\n", "two numbers: 4$"),
                           ("x 30\n4 0\n1 9\n", "two numbers: x 30")):
            with self.assertRaisesRegex(events.Wrong, said):
                events.joined(self.rows, text)
        del self.rows[1]
        with self.assertRaisesRegex(events.Wrong, "no events whose"):
            events.joined(self.rows, self.text)

    def test_without(self):
        """without the plug-in nothing is added, and no file is read"""
        with events.Counter("") as counter:
            self.assertEqual(counter.option, "")
            rows = counter.join(self.rows)
        self.assertEqual(len(rows), 4)
        self.assertFalse(any("locked" in row for row in rows))

    def test_why_not(self):
        """a plug-in that cannot be loaded is told in one line"""
        self.assertEqual(events.why_not("qemu", "/nowhere"),
                         "/nowhere is missing")
        self.assertIn("Could not load plugin",
                      events.why_not("qemu-system-x86_64", __file__))

    def test_compared(self):
        """bench-compare judges them as exact figures"""
        for field in events.FIELDS:
            one, two = example.rows(), example.rows()
            data.results(two, "exact")[5][field] += 1
            outcome = benchguest_compare.compare(one, two)
            self.assertEqual([change.figure for change in
                              outcome.worse(1)], [field])


class Check(unittest.TestCase):
    """Two runs that must be the same."""

    def test_planted(self):
        """one digit, one line more and one less are found"""
        text = data.lines(example.rows())
        found = list(benchguest_check.differences(text, text))
        self.assertEqual(found, [])
        found = list(benchguest_check.differences(
            text, text.replace('"value": 150', '"value": 151', 1)))
        self.assertEqual(len(found), 1)
        self.assertIn('"value": 151', found[0])
        for other in (text + "{}\n", text[:text[:-1].rindex("\n") + 1]):
            self.assertTrue(list(benchguest_check.differences(text, other)))

    def test_impossible(self):
        """memory that no guest has, and parts that are more than the whole"""
        memory = 512 << 20
        self.assertEqual(list(data.impossible(example.rows(), memory)), [])
        for name, value in (("mapped_peak", (1 << 64) - 4096),
                            ("mapped_start", memory + 1), ("kept", -1),
                            ("metadata", memory + 1),
                            ("mapped_peak", example.LIVE - 1),
                            ("mapped_start", 2 * example.LIVE),
                            ("kept", 2 * example.LIVE)):
            rows = [dict(example.exact_row("ukallocrnd", "pair", 64))]
            rows[0][name] = value
            found = list(data.impossible(rows, memory))
            self.assertTrue(found, name)
            self.assertIn(name, found[0])


if __name__ == "__main__":
    unittest.main()
