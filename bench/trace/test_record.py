#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of librecord.so with programs of the system.

    test_record.py mstress librecord.so libukallocrnd.so
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import encode

FORK = """
import os
for _ in range(20):
    child = os.fork()
    if not child:
        [bytes(size) for size in range(2000)]
        os._exit(0)
    assert not os.waitpid(child, 0)[1]
"""
MSTRESS, LIBRARIES = [], []


class Record(unittest.TestCase):
    """What is recorded fits together, from the first call on."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.raw = pathlib.Path(folder.name, "events.raw")

    def run_program(self, *command):
        """A program under the recorder."""
        return subprocess.run(
            command, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, "LD_PRELOAD": " ".join(LIBRARIES),
                 "UKTRACE": str(self.raw), "PYTHONMALLOC": "malloc"})

    def record(self, *command):
        """Its events, which must be all right."""
        outcome = self.run_program(*command)
        self.assertEqual((outcome.returncode, outcome.stderr), (0, ""))
        events, objects = encode.events_of(self.raw.read_bytes(), 0)
        self.assertEqual(objects.foreign, 0)
        return events

    def test_sqlite(self):
        """One thread; what it leaves alive is little."""
        events = self.record("sqlite3", ":memory:", "SELECT 1;")
        self.assertGreater(len(events), 100)
        self.assertLess(encode.peaks(events)[2], 100)

    def test_threads(self):
        """Objects that change hands, of four threads at a time."""
        events = self.record(MSTRESS[0], "4", "3")
        self.assertGreater(len(events), 100000)

    def test_fork(self):
        """Children are not recorded: 40,000 objects would be theirs."""
        events = self.record(sys.executable, "-c", FORK)
        born = sum(event.op != encode.FREE for event in events)
        self.assertLess(born, 40000)

    def test_no_file(self):
        """A file that exists already is left alone."""
        self.raw.write_bytes(b"precious")
        outcome = self.run_program("sqlite3", ":memory:", "SELECT 1;")
        self.assertEqual(outcome.returncode, 1)
        self.assertEqual(outcome.stderr,
                         f"record: {self.raw}: File exists\n")
        self.assertEqual(self.raw.read_bytes(), b"precious")


if __name__ == "__main__":
    MSTRESS.append(sys.argv[1])
    LIBRARIES += [os.path.abspath(path) for path in sys.argv[2:]]
    unittest.main(argv=sys.argv[:1])
