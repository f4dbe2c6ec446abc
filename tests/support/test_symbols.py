#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of symbols.py: GDB finds functions and lines where they are.

    test_symbols.py [IMAGE.debug...]   with IMAGE.app beside each
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

import elf64
import layout
import simulate
import symbols
import synthetic
import truth

FUNCTIONS = 40  # of an image that are asked for
IMAGES = []


def gdb(*commands):
    """What GDB says to commands."""
    words = [word for command in commands for word in ("-ex", command)]
    run = subprocess.run(["gdb", "-nx", "-batch", *words], check=False,
                         text=True, capture_output=True)
    return run.stdout + run.stderr


def functions_of(elf):
    """Functions of C, by name; those whose name is there once."""
    found = {}
    for symbol in elf.symbols:
        if symbol.type == elf64.STT_FUNC and symbol.size and \
                "." not in symbol.name:
            found.setdefault(symbol.name, []).append(symbol)
    return {name: some[0] for name, some in found.items() if len(some) == 1}


class Asked:
    """An image that was placed, and a debugger that knows where."""

    def __init__(self, folder, image, seed):
        self.image = image
        payload = simulate.Payload(image.with_suffix(".app").read_bytes())
        self.placed = simulate.Placed(payload, random.Random(seed))
        self.elf = elf64.Elf(image)
        log = folder / "log"
        log.write_text("boot\r\n" + "".join(
            f"layout: {u.start:#x} {u.len:#x} {u.addr:#x}\r\n"
            for u in payload.units) + "end\r\n")
        self.out = folder / "out.debug"
        with open(self.out, "wb") as stream:
            subprocess.run([sys.executable, symbols.__file__, image, log],
                           check=True, stdout=stream,
                           stderr=subprocess.DEVNULL)

    def addr(self, symbol):
        """Where a symbol is."""
        unit = self.placed.payload.unit(symbol.value)
        return symbol.value + unit.distance

    def as_linked(self, *commands):
        """What the debugger says of the image as linked."""
        return gdb(f"file {self.image}", *commands)

    def placed_gdb(self, *commands):
        """What it says of the image where it is."""
        return gdb(f"symbol-file {self.out}", *commands)


class Common(unittest.TestCase):
    """What holds for every image in pieces."""

    def ask(self, asked):
        """Functions, lines and breakpoints of a sample."""
        functions = functions_of(asked.elf)
        names = random.Random(1).sample(sorted(functions), min(
            FUNCTIONS, len(functions)))
        self.assertTrue(names)
        where = {name: asked.addr(functions[name]) for name in names}
        now = asked.placed_gdb(*(f"info line *{where[name]:#x}"
                                 for name in names)).splitlines()
        before = asked.as_linked(*(f"info line *{functions[name].value:#x}"
                                   for name in names)).splitlines()
        self.assertGreater(sum(text.startswith("Line ") for text in now),
                           len(names) // 2)
        inside = asked.placed_gdb(*(
            f"info symbol {where[name] + functions[name].size // 2:#x}"
            for name in names)).splitlines()
        for number, name in enumerate(names):
            at = f"{where[name]:#x} <{name}>"
            self.assertIn(at, now[number])
            # The same line of the same file
            self.assertEqual(now[number].partition(at)[0].rpartition(
                "address")[0], before[number].partition("address")[0])
            self.assertRegex(inside[number], rf"^{name}( \+ \d+)? in section")

    def breakpoints(self, asked, name):
        """A breakpoint is in the function that it names."""
        symbol = functions_of(asked.elf)[name]
        where = asked.addr(symbol)
        said = re.search(r"Breakpoint 1 at (0x[0-9a-f]+)",
                         asked.placed_gdb(f"break {name}"))
        self.assertLess(int(said[1], 16) - where, symbol.size)
        self.assertGreaterEqual(int(said[1], 16), where)


class Small(Common):
    """The program of synthetic.py."""

    def setUp(self):
        self.keep = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.keep.name)
        said = synthetic.build(self.folder, synthetic.SOURCES, "--pieces",
                               "--functions")
        self.assertFalse(said)

    def tearDown(self):
        self.keep.cleanup()

    def test_pieces(self):
        """functions, lines, variables"""
        asked = Asked(self.folder, self.folder / "image.debug", 1)
        self.ask(asked)
        self.breakpoints(asked, "a_switch")
        count = next(s for s in asked.elf.symbols if s.name == "b_count")
        self.assertIn(f" = (int *) {asked.addr(count):#x} <b_count>",
                      asked.placed_gdb("print &b_count"))

    def test_one_piece(self):
        """one line, one distance"""
        log = self.folder / "log"
        log.write_text("layout: 0 9000 ffff800000009000\n")
        run = subprocess.run([sys.executable, symbols.__file__,
                              self.folder / "image.debug", log], check=True,
                             capture_output=True, text=True)
        self.assertEqual(run.stdout, "")
        distance = (0xffff800000009000 - layout.BASE) % (1 << 64)
        self.assertEqual(run.stderr, f"symbol-file -o {distance:#x} "
                         f"{self.folder}/image.debug\n")
        symbol = functions_of(elf64.Elf(self.folder / "image.debug"))["a_two"]
        where = symbol.value + distance - (1 << 64)
        self.assertIn("a_two in section",
                      gdb(run.stderr.strip(), f"info symbol {where:#x}"))

    def test_bad_logs(self):
        """a log without a layout, and one of two boots"""
        for text, words in (("boot\n", "has no lines of layout"),
                            ("layout: 0 20 7000\nlayout: 10 20 9000\n",
                             "units at 0x0 and 0x10 overlap")):
            log = self.folder / "log"
            log.write_text(text)
            run = subprocess.run([sys.executable, symbols.__file__,
                                  self.folder / "image.debug", log],
                                 check=False, capture_output=True, text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)


class Real(Common):
    """Images of the guest."""

    def test_images(self):
        """functions and lines"""
        for path in IMAGES:
            with self.subTest(path.name), \
                    tempfile.TemporaryDirectory() as name:
                asked = Asked(pathlib.Path(name), path, 2)
                self.ask(asked)
                self.breakpoints(asked, "main")


if __name__ == "__main__":
    IMAGES = [path for path in map(pathlib.Path, sys.argv[1:])
              if truth.is_in_pieces(path)]
    unittest.main(argv=sys.argv[:1], verbosity=2)
