#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The order of libraries, and the files: what is read and what is written."""
import json
import math
import pathlib
import random
import tempfile
import unittest
from xml.etree import ElementTree

import aslr_boot
import aslr_map
import aslr_order
import aslr_report
import aslr_table as table
from test_aslr import FEW, MANY, PAGE, UPPER, boots_of, draw, judge, uniform

LIBRARIES = [f"lib{letter} text" for letter in "abcdef"]


class Libraries(unittest.TestCase):
    """The order of libraries."""

    def test_order(self):
        """a random order passes, one that is nearly fixed does not"""
        rng = random.Random(8)
        bases = {name: [draw(rng) for _ in range(MANY)]
                 for name in LIBRARIES}
        order = aslr_order.order(bases)
        self.assertAlmostEqual(order.bits, math.log2(720))
        self.assertGreater(min(order.tests.values()), 1e-4)
        low, high = LIBRARIES[:2]
        bases[low], bases[high] = zip(*(
            sorted(pair) for pair in zip(bases[low], bases[high])))
        order = aslr_order.order(bases)
        self.assertLess(order.tests[f"{low} before {high}"], 1e-9)
        self.assertEqual(aslr_order.order(uniform()).tests, {})


    def test_apart(self):
        """libraries that know nothing of each other are regions of their own,
        and their order is told"""
        rng = random.Random(9)
        bases = uniform()
        for name in LIBRARIES:
            bases[name] = [draw(rng) for _ in range(MANY)]
        verdict = judge(bases)
        self.assertEqual(verdict.errors, [])
        self.assertIn(f"order of {len(LIBRARIES)} libraries: 9.5 bits",
                      aslr_report.terminal(verdict))

    def test_together(self):
        """libraries within 2 GiB of one another are found"""
        rng = random.Random(9)
        bases = uniform()
        starts = [draw(rng, end=(1 << 47) - (1 << 31)) for _ in range(MANY)]
        for name in LIBRARIES:
            bases[name] = [draw(rng, start, end=1 << 31)
                           for start in starts]
        found = {name for name, _ in judge(bases).errors}
        self.assertTrue(found and found <= set(LIBRARIES), found)


class Windows(unittest.TestCase):
    """Places that lie in windows and do not reach their ends."""

    ROOM = 33 << 30

    def bases(self, room, many=MANY):
        """Places of a size class."""
        rng = random.Random(10)
        return {**uniform(many), "heap:slots of 64": [
            (rng.randrange(1, 2047) << 36) + rng.randrange(room // PAGE) * PAGE
            for _ in range(many)]}

    def test_holes(self):
        """the holes are not counted as places"""
        for many in (80, MANY):
            verdict = judge(self.bases(self.ROOM, many))
            self.assertEqual(verdict.errors, [])
            region = next(each for each in verdict.regions
                          if each.name == "heap:slots of 64")
            self.assertAlmostEqual(region.place.bits, 34.04, delta=0.1)

    def test_room(self):
        """a fourth of the room is two bits less"""
        self.assertIn(("heap:slots of 64", "32.04 bits, 34 are needed"),
                      [(name, text[:3] + "04" + text[5:]) for name, text in
                       judge(self.bases(self.ROOM // 4)).errors])


class Files(unittest.TestCase):
    """What is read, and what is written."""

    def test_parse(self):
        """lines of a console become a boot"""
        lines = ["hello", '{"type":"map","name":"a","base":"0x10","len":1}',
                 '{"type":"boot","us":5,"profile":"STRONG"}',
                 '{"type":"map","name":"b","base":"0x20","len":2}',
                 '{"type":"map","name":"b","base":"0x30","len":3}']
        self.assertEqual(aslr_boot.parse(lines), {
            "profile": "STRONG",
            "places": {"a": [16, 1], "b 1": [32, 2], "b 2": [48, 3]}})

    def test_rules(self):
        """each row has a rule, and a colour or none"""
        for name, kind, need, group in (
                ("image rodata", "image", 34, "image"),
                ("libukallocrnd text", "library", 34, "libukallocrnd"),
                ("heap:slots of 16", "heap", 34, "heap:slots of 16"),
                ("stack pointer 3", "stack", 30, "stack 3"),
                ("trap stacks 2", "stack", 30, "trap stacks 2"),
                ("page table root (physical)", "physical", 0, None),
                ("whatever", "tables", table.NEED, "whatever")):
            rule, found = table.rule_of(name)
            self.assertEqual((rule.kind, rule.need), (kind, need), name)
            self.assertIn(group, (found, None))
            self.assertEqual(rule.kind in table.COLOURS,
                             not rule.is_physical)
        self.assertEqual(set(table.COLOURS), set(table.TITLES))

    def test_map(self):
        """the picture has a row a boot, every place within its half, and is
        the same for the same boots"""
        boots = boots_of(uniform(FEW))
        boots[0]["places"]["page table root (physical)"] = [0x1000, PAGE]
        drawn = aslr_map.draw(boots)
        self.assertEqual(drawn, aslr_map.draw(boots))
        root = ElementTree.fromstring(drawn)
        rows = [row for row in root if row.tag.endswith("}g")]
        self.assertEqual(len(rows), FEW)
        for path in rows[0].iterfind("{*}path"):
            self.assertIn(path.get("fill"), table.COLOURS.values())
        for base, x in ((0, 0), (UPPER, aslr_map.HALF_W + aslr_map.GAP)):
            self.assertEqual(aslr_map.place_of(base, 1, 2),
                             (aslr_map.LEFT + x, 2))
        x, wide = aslr_map.place_of((1 << 64) - PAGE, PAGE, 2)
        self.assertEqual(x + wide, aslr_map.LEFT + 2 * aslr_map.HALF_W +
                         aslr_map.GAP)

    def test_tables(self):
        """all tables have every region; JSON can be read again"""
        bases = uniform(FEW)
        bases["IDT"] = [UPPER] * FEW
        verdict = judge(bases)
        shown = aslr_report.terminal(verdict)
        written = aslr_report.markdown(verdict)
        for region in verdict.regions:
            self.assertIn(f"\n{region.rule.family} ", shown)
            self.assertIn(f"\n| {region.rule.family} |", written)
        for text in (shown, written):
            self.assertIn("Nanos", text)
            self.assertIn("IDT: 0.00 bits, 30 are needed", text)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x", "boots")
            aslr_boot.save(path, boots_of(bases))
            self.assertEqual(aslr_boot.load(path), boots_of(bases))
            aslr_report.save(path, verdict)
            rows = [json.loads(line)
                    for line in path.read_text().splitlines()]
        self.assertEqual(len(rows), len(verdict.regions) + 1)
        self.assertEqual(rows[-1]["failed"], 1)


if __name__ == "__main__":
    unittest.main()
