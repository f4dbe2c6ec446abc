#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of payload.py: images in pieces are right, wherever they go.

    test_payload.py [IMAGE.debug...]   with IMAGE.app beside each

A program of all kinds of references is built and placed at random; so are the
images of the command line, as far as they are in pieces. That the check finds
mistakes is tested with tables that lack a fixup, or have a wrong one.
"""
import copy
import pathlib
import random
import sys
import tempfile
import unittest

import simulate
import synthetic
import truth

PLACES = 40       # of the small program
REAL_PLACES = 5   # of an image
REAL_MUTANTS = 6
IMAGES = []


def read(folder, name="image"):
    """(payload, truth) of an image."""
    return (simulate.Payload((folder / f"{name}.app").read_bytes()),
            truth.Truth(folder / f"{name}.debug"))


def is_right(payload, wanted, seed):
    """Whether the image is right at the places drawn from a seed."""
    try:
        wanted.verify(simulate.Placed(copy.deepcopy(payload),
                                      random.Random(seed)))
    except simulate.Wrong:
        return False
    return True


def is_found(mutant, wanted):
    """Whether a mistake is found: by chance, two functions may be as far
    from each other as they were linked."""
    return not all(is_right(mutant, wanted, seed) for seed in range(4))


def without(payload, number):
    """A payload that lacks a fixup."""
    mutant = copy.copy(payload)
    mutant.fixups = payload.fixups[:number] + payload.fixups[number + 1:]
    return mutant


def astray(payload, number):
    """A payload with a fixup that looks at a unit of another segment, or at
    another function."""
    site, word = payload.fixups[number]
    old = payload.units[word & ~simulate.RELATIVE]
    other = next(i for i, unit in enumerate(payload.units)
                 if unit.seg != old.seg or
                 unit is not old and unit.flags & simulate.MOVE)
    mutant = copy.copy(payload)
    mutant.fixups = list(payload.fixups)
    mutant.fixups[number] = (site, other | word & simulate.RELATIVE)
    return mutant


class Small(unittest.TestCase):
    """The program of synthetic.py."""

    options = ("--pieces", "--functions")

    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.keep.name)
        said = synthetic.build(cls.folder, synthetic.SOURCES, *cls.options)
        assert not said, said
        cls.payload, cls.truth = read(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def test_places(self):
        """right wherever it goes"""
        for seed in range(PLACES):
            self.truth.verify(simulate.Placed(copy.deepcopy(self.payload),
                                              random.Random(seed)))

    def test_libraries(self):
        """in the order of the command line, three segments at most"""
        self.assertEqual(self.payload.libs, ["liba", "libb", "libc"])
        self.assertEqual(self.payload.seg_lib, sorted(self.payload.seg_lib))
        self.assertEqual(len(self.payload.loads), 8)

    def test_functions(self):
        """each is a unit, but for one with a larger alignment"""
        moves = [u for u in self.payload.units if u.flags & simulate.MOVE]
        self.assertEqual(bool(moves), "--functions" in self.options)
        if moves:
            self.assertGreater(len(moves), 12)
            names = [name for _, name, _ in filter(None, self.truth.sections)]
            self.assertIn(".text.libc", names)

    def test_every_fixup_counts(self):
        """a fixup less is found"""
        self.assertGreater(len(self.payload.fixups), 20)
        for number in range(len(self.payload.fixups)):
            self.assertTrue(is_found(without(self.payload, number),
                                     self.truth))

    def test_every_target_counts(self):
        """a fixup for another unit is found"""
        for number in range(len(self.payload.fixups)):
            self.assertTrue(is_found(astray(self.payload, number),
                                     self.truth))

    def test_table(self):
        """a table that is not sorted is found"""
        mutant = copy.deepcopy(self.payload)
        tables = [u for u in mutant.units if u.flags & simulate.SORT]
        self.assertEqual([unit.len for unit in tables], [3 * 16])
        # As linked, the last is the first
        seg = tables[0].seg
        at = tables[0].start - mutant.loads[seg][3] + mutant.base
        rows = mutant.memory[seg][at:at + 48]
        mutant.memory[seg][at:at + 48] = rows[32:] + rows[16:32] + rows[:16]
        tables[0].flags = 0
        self.assertTrue(is_found(mutant, self.truth))

    def test_slots(self):
        """one for each symbol of another library, none for near ones that
        need none, two for two of the same name"""
        wanted = {"liba": 6, "libc": 6}
        for addr, name, data in filter(None, self.truth.sections):
            if name.startswith(".slots."):
                self.assertEqual(len(data) // 8, wanted.pop(name[7:]), name)
        self.assertFalse(wanted)

    def test_thread(self):
        """data of threads are where they were linked, and only there"""
        sites = [offset for _, offset, kind, *_ in self.truth.sites
                 if kind == truth.TPOFF32]
        self.assertGreater(len(sites), 2)
        self.assertEqual(self.truth.thread, 64)
        for site in sites:
            mutant = copy.deepcopy(self.payload)
            seg, load = next((i, h) for i, h in enumerate(mutant.loads)
                             if h[3] <= site < h[3] + h[6])
            mutant.memory[seg][site - load[3]] ^= 8
            self.assertTrue(is_found(mutant, self.truth))

    def test_again(self):
        """the same once more"""
        first = (self.folder / "image.app").read_bytes()
        synthetic.tool("payload.py", self.folder / "image.debug",
                       self.folder / "again.app")
        self.assertEqual(first, (self.folder / "again.app").read_bytes())


class SmallLibraries(Small):
    """The same; functions stay in their place."""

    options = ("--pieces",)


class SmallShuffled(Small):
    """The same in a random order."""

    options = ("--pieces", "--functions", "--seed", "text")

    def test_libraries(self):
        """in any order"""
        self.assertEqual(sorted(self.payload.libs), ["liba", "libb", "libc"])
        self.assertGreater(self.payload.base, 0xffff << 48)


class Refusals(unittest.TestCase):
    """What cannot be made right is refused in one line."""

    def build(self, sources):
        """What the tools say about sources."""
        with tempfile.TemporaryDirectory() as name:
            said = synthetic.build(pathlib.Path(name),
                                   {**synthetic.SOURCES, **sources},
                                   "--pieces")
        self.assertNotIn("\n", said)
        return said

    def asm(self, text):
        """The same for an instruction in libc."""
        return self.build({"libc/two.S": f"\t.text\n\t{text}\n\t.section "
                           '.note.GNU-stack, "", @progbits\n'})

    def test_far_call(self):
        """a call of another library by its distance"""
        self.assertRegex(self.asm("call a_near"),
                         r"^layout.py: /\S+/libc/two.o: .text refers to "
                         "a_near of liba by its distance; ")

    def test_far_load(self):
        """data of another library"""
        self.assertRegex(self.asm("movl b_count(%rip), %eax"),
                         "refers to b_count of libb by its distance")

    def test_short_address(self):
        """an address of four bytes"""
        self.assertRegex(self.asm("movq $c_local_32, %rax\nc_local_32:"),
                         r"^payload.py: \S+: .text.libc\+0x[0-9a-f]+: "
                         "relocation of unknown type 11$")

    def test_two_threads(self):
        """data of threads in two libraries"""
        self.assertRegex(
            self.build({"liba/three.c": "_Thread_local int a_mine;"}),
            "^layout.py: liba and libb have thread-local data; of an image "
            "in pieces, one library may$")

    def test_thread_align(self):
        """data of threads with a larger alignment than their copies have"""
        self.assertRegex(
            self.build({"libb/two.c": "_Thread_local int b_far "
                        "__attribute__((aligned(128)));"}),
            r"/libb/two.o: .tbss.b_far is aligned to more than 64 bytes$")

    def test_thread_address(self):
        """a distance to data of a thread that is in the offset table"""
        self.assertRegex(
            self.build({"libb/two.S": "\t.text\n\tmovq "
                        "b_two@GOTTPOFF(%rip), %rax\n\t.section .tbss, "
                        "\"awT\", @nobits\nb_two: .zero 8\n\t.section "
                        ".note.GNU-stack, \"\", @progbits\n"}),
            "relocation of unknown type 22$")

    def test_no_distance(self):
        """a symbol that is nowhere"""
        self.assertRegex(self.asm(".weak nothing\n\tcall nothing"),
                         "nothing has no distance$")

    def test_name(self):
        """a library whose name is too long"""
        name = "lib" + "x" * 29
        self.assertRegex(self.build({f"{name}/x.c": "int x = 1;"}),
                         f"^payload.py: {name}: a library's name may have 31 "
                         "characters$")

    def test_no_image(self):
        """a file that is none"""
        status, said = synthetic.tool("payload.py", synthetic.HERE /
                                      "payload.py", "/dev/null")
        self.assertEqual(status, 1)
        self.assertRegex(said, "no ELF file for x86_64$")

    def test_seed(self):
        """a seed that is not a word"""
        with tempfile.TemporaryDirectory() as name:
            for seed in ("", "two words", "x" * 65):
                status, said = synthetic.layout(pathlib.Path(name), {},
                                                "--seed", seed)
                self.assertEqual((status, said),
                                 (1, "layout.py: RANDOMIZE_SEED must have 1 "
                                  "to 64 characters of ASCII, and no blanks"))


class Real(unittest.TestCase):
    """Images of the guest."""

    def test_images(self):
        """right wherever they go, and mistakes are found"""
        for path in IMAGES:
            with self.subTest(path.name):
                payload, wanted = read(path.parent, path.stem)
                for seed in range(REAL_PLACES):
                    wanted.verify(simulate.Placed(copy.deepcopy(payload),
                                                  random.Random(seed)))
                rng = random.Random(1)
                for mutate in (without, astray):
                    for number in rng.sample(range(len(payload.fixups)),
                                             REAL_MUTANTS):
                        self.assertTrue(is_found(mutate(payload, number),
                                                 wanted))


if __name__ == "__main__":
    IMAGES = [path for path in map(pathlib.Path, sys.argv[1:])
              if truth.is_in_pieces(path)]
    unittest.main(argv=sys.argv[:1], verbosity=2)
