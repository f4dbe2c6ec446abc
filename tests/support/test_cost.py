#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of configs.py, cost_plan.py and cost.py, with figures made up."""
import copy
import pathlib
import subprocess
import sys
import tempfile
import unittest

import configs
import cost
import cost_plan
import cost_table
import document
import matrix

KCONF = configs.kconf_of()
OPTIONS = configs.mitigations(KCONF)
ZERO = f"{configs.PREFIX}ZERO_ON_FREE"
WAF = f"{configs.PREFIX}WRITE_AFTER_FREE"
VERIFY = f"{configs.PREFIX}VERIFY_REFILL"


def options_of(config):
    """Values of all options, as make defconfig leaves them."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "choices")
        config.write(path)
        return configs.values(configs.kconf_of(path))


def made_up(plan):
    """Figures that satisfy everything: each option that is on costs ten
    instructions, each slot of a number a hundredth."""
    found = {}
    for config in plan.configurations():
        values = options_of(config)
        count = 100 + sum(10 for value in values.values() if value == "y") + \
            sum(int(value) for value in values.values()
                if value.isdigit()) / 100
        found[config.name] = cost_plan.Figures(
            config, values, {size: [count, count + 0.1] for size in
                             cost_plan.SIZES}, dict.fromkeys(
                                 cost.PROGRAMS, 1024))
    return found


class Configurations(unittest.TestCase):
    """What is in a configuration."""

    def test_dependencies(self):
        """an option comes with what it needs, and goes with what needs it"""
        self.assertEqual(configs.needed(VERIFY, OPTIONS), {VERIFY, WAF, ZERO})
        self.assertEqual(configs.dependent(ZERO, OPTIONS),
                         {VERIFY, WAF, ZERO})

    def test_choices(self):
        """a file of choices says what was chosen"""
        values = options_of(configs.only("x", OPTIONS, {ZERO}))
        self.assertEqual({name for name in OPTIONS if values[name] == "y"},
                         {ZERO})
        rounds = f"{configs.PREFIX}CHACHA_ROUNDS"
        values = options_of(configs.profile("FAST", {rounds: 20}))
        self.assertEqual(values[rounds], "20")
        self.assertEqual(values[ZERO], "n")

    def test_matrix(self):
        """the matrix has every profile but the default, and all options"""
        names = [c.name for c in matrix.configurations(OPTIONS, False)]
        self.assertEqual(names, ["none", "guarded", "FAST", "STRONG"])
        names = [c.name for c in matrix.configurations(OPTIONS, True)]
        for option in OPTIONS:
            name = configs.short(option).lower()
            self.assertIn(f"only-{name}", names)
            self.assertIn(f"no-{name}", names)
        self.assertEqual(len(names), len(set(names)))

    def test_broken_build(self):
        """what make says is kept, and the run ends with an error"""
        with tempfile.TemporaryDirectory() as folder:
            wrong = configs.profile("FAST", {f"{configs.PREFIX}NO_SUCH": 1})
            error = configs.build(folder, wrong, "gcc", ["preload"])
            self.assertIn("There is no option", error)
            run = subprocess.run(
                [sys.executable, cost.__file__, "--out", folder, "--cc",
                 "no-such-compiler"], text=True, check=False,
                capture_output=True)
            self.assertEqual(run.returncode, 1, run.stdout)
            self.assertIn("cost: BALANCED: make preload", run.stderr)


class Plan(unittest.TestCase):
    """What is compared with what."""

    @classmethod
    def setUpClass(cls):
        cls.plan = cost_plan.Plan(KCONF)
        cls.sound = made_up(cls.plan)

    def setUp(self):
        self.found = copy.deepcopy(self.sound)
        self.costs = self.plan.costs(self.found)

    def judge(self):
        """What is wrong with the figures as they are now."""
        return cost_plan.judge(self.plan, self.found,
                               self.plan.costs(self.found))

    def change(self, name, amount):
        """Adds to the counts of a configuration."""
        for counts in self.found[name].counts.values():
            counts[:] = [count + amount for count in counts]

    def cost(self, option, kind):
        """One of the costs."""
        return next(cost for cost in self.costs
                    if (cost.row.option, cost.row.kind) == (option, kind))

    def test_protections(self):
        """every option with a mechanism and an attack has two rows"""
        self.assertGreater(len(self.plan.protections), 8)
        for name in self.plan.protections:
            self.assertTrue(configs.told(self.plan.symbols[name], "Hinders"),
                            name)
            self.assertTrue(self.cost(name, "alone"))
            self.assertTrue(self.cost(name, "in"))

    def test_costs(self):
        """a cost is that of the option, with what depends on it"""
        size = cost_plan.SIZES[0]
        for name in self.plan.protections:
            alone = self.cost(name, "alone")
            # Those that bring numbers along
            if name not in (f"{configs.PREFIX}QUARANTINE",
                            f"{configs.PREFIX}SAMPLE"):
                self.assertAlmostEqual(alone.instructions[size], 10)
        self.assertAlmostEqual(self.cost(ZERO, "in").instructions[size], 20)
        self.assertEqual(self.cost(ZERO, "in").others, [WAF])
        self.assertAlmostEqual(self.cost(VERIFY, "in").instructions[size], 10)

    def test_good(self):
        """sound figures pass, also if a protection costs nothing"""
        self.assertEqual(self.judge(), [])
        self.change("only-canary", -10 - cost_plan.SAVED + 0.5)
        self.assertEqual(self.judge(), [])

    def test_saving(self):
        """a protection that saves instructions is found, on both sides"""
        self.change("only-canary", -17)
        self.change("BALANCED-without-kind_check", 17)
        errors = "\n".join(self.judge())
        self.assertIn("CANARY alone saves", errors)
        self.assertIn("KIND_CHECK in BALANCED saves", errors)

    def test_spread(self):
        """counts that cannot be repeated are found, and counts of nothing"""
        self.found["FAST"].counts[64][1] += 1
        self.assertIn("FAST: counts of 64 bytes", "\n".join(self.judge()))
        self.found["FAST"].counts[64][:] = [0, 0]
        self.assertIn("FAST: counts of 64 bytes", "\n".join(self.judge()))

    def test_levels(self):
        """a profile that costs less than a weaker one is found"""
        self.change("STRONG", -1000)
        self.assertIn("STRONG costs less than BALANCED",
                      "\n".join(self.judge()))

    def test_options(self):
        """a configuration that lacks its option is found"""
        self.found["only-canary"].values[f"{configs.PREFIX}CANARY"] = "n"
        self.assertIn("CANARY is n in only-canary", "\n".join(self.judge()))

    def test_tables(self):
        """both tables have every protection"""
        about = {"cpu": "CPU", "commit": "c0ffee"}
        shown = cost_table.terminal(self.plan, self.found, self.costs)
        written = cost_table.markdown(self.plan, self.found, self.costs,
                                      about)
        for name in self.plan.protections:
            self.assertEqual(shown.count(f"\n{configs.short(name)} "), 2)
            self.assertEqual(written.count(f"\n| {configs.short(name)} "), 2)
        self.assertIn("(with WRITE_AFTER_FREE)", written)

    def test_document(self):
        """a table goes between its marks, and nowhere else"""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.md")
            text = "a\n{}old\n{}b\n".format(*document.MARKS)
            path.write_text(text)
            document.put_into(path, "new\n")
            self.assertEqual(path.read_text(), text.replace("old", "new"))
            path.write_text("a\n")
            self.assertRaises(ValueError, document.put_into, path, "new\n")


if __name__ == "__main__":
    unittest.main()
