#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boot times made up: medians, spreads, bounds, and what is printed wrong."""
import contextlib
import io
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

import boottime

FAKE = """#!/bin/sh
for word; do last=$image; [ "$flag" = -kernel ] && image=$word; flag=$word
done
cat "$image"
exit 1
"""


def image(name, *times):
    """An image that was measured."""
    return boottime.Image(name, "", list(times), {"NONE"})


def line(**fields):
    """What the guest prints."""
    return json.dumps({"type": "boot", **fields})


class Arithmetic(unittest.TestCase):
    """Medians and bounds."""

    def test_median(self):
        """in ms, of an odd and of an even number, of one"""
        self.assertEqual(image("a", 3000, 1000, 90000).median, 3)
        self.assertEqual(image("a", 1000, 2000).median, 1.5)
        self.assertEqual(image("a", 2000).quartiles, (2, 2))
        self.assertEqual(image("a", *range(1000, 6000, 1000)).quartiles,
                         (2, 4))

    def test_bounds(self):
        """a bound holds for the difference of the medians"""
        images = [image("none", 1000, 2000, 9000), image("b", 11900, 12000),
                  image("c", 12100)]
        self.assertEqual(list(boottime.judge(images, {"b": 10})), [])
        late = list(boottime.judge(images, {"b": 9.9, "c": 10}))
        self.assertEqual(len(late), 2)
        self.assertIn("c: 10.10 ms above none, at most 10", late[1])

    def test_table(self):
        """a line an image, with the difference to the first"""
        lines = list(boottime.table([image("none", 1500), image("b", 3750)]))
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[1].endswith("+0.00"))
        self.assertTrue(lines[2].endswith("+2.25"))


class Words(unittest.TestCase):
    """What the guest says, and the command line."""

    def test_record(self):
        """one record with a time above 0"""
        self.assertEqual(boottime.boot_record(["x", line(us=7)])["us"], 7)
        for lines in ([], [line(us=7)] * 2, [line()], [line(us=0)],
                      [line(us="7")]):
            self.assertRaises(RuntimeError, boottime.boot_record, lines)

    def test_arguments(self):
        """names and bounds that make no sense are refused"""
        _, images, bounds = boottime.arguments(
            ["--bound", "b=2.5", "a=x", "b=y"])
        self.assertEqual([each.name for each in images], ["a", "b"])
        self.assertEqual(bounds, {"b": 2.5})
        for words in ([], ["a"], ["a=x", "a=y"], ["--bound", "b=1", "a=x"],
                      ["--bound", "a=q", "a=x"], ["--boots", "0", "a=x"]):
            with contextlib.redirect_stderr(io.StringIO()), \
                    self.assertRaises(SystemExit):
                boottime.arguments(words)


class Program(unittest.TestCase):
    """All of it, with a QEMU that prints what is in the image."""

    def run_it(self, folder, *words):
        """Runs the program."""
        qemu = pathlib.Path(folder, "qemu")
        qemu.write_text(FAKE)
        qemu.chmod(qemu.stat().st_mode | stat.S_IXUSR)
        return subprocess.run(
            [sys.executable, boottime.__file__, "--qemu", qemu, "--boots",
             "3", *words], text=True, check=False, capture_output=True)

    def test_run(self):
        """bounds decide how it ends"""
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: pathlib.Path(folder, name) for name in "ab"}
            for name, time in (("a", 1000), ("b", 9000)):
                paths[name].write_text(line(us=time, profile=name.upper()))
            pairs = [f"{name}={path}" for name, path in paths.items()]
            for bound, status in (("b=8", 0), ("b=7", 1)):
                run = self.run_it(folder, *pairs, "--bound", bound,
                                  "--json", f"{folder}/json")
                self.assertEqual(run.returncode, status, run.stderr)
                self.assertIn("+8.00", run.stdout)
            rows = [json.loads(text) for text in
                    pathlib.Path(folder, "json").read_text().splitlines()]
            self.assertEqual([row["us"] for row in rows],
                             [[1000] * 3, [9000] * 3])
            paths["b"].write_text("nothing\n")
            run = self.run_it(folder, *pairs)
            self.assertEqual(run.returncode, 1)
            self.assertIn("boottime: b: prints 0 boot times", run.stderr)


if __name__ == "__main__":
    unittest.main()
