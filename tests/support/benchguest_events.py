# SPDX-License-Identifier: BSD-3-Clause
"""Locked operations and changes of the interrupt flag, counted by a plug-in
of QEMU: bench/host/qemu_events.c.

The guest marks what it measures. For each mark the plug-in writes a line of
two numbers, and the guest prints a row; the first row says how often a loop
with known numbers did it. Lines and rows must fit, one by one.
"""
import pathlib
import subprocess
import tempfile

FIELDS = ("locked", "irqflag")
KNOWN = "known"
MARKED = (KNOWN, "bench")  # rows of the exact mode that are about marks
DIGITS = 2  # these events are rare
NONE = "/dev/null"


class Wrong(Exception):
    """What the plug-in counted cannot be."""


def why_not(qemu, plugin):
    """Why a plug-in cannot be loaded, in QEMU's words; None if it can."""
    if not pathlib.Path(plugin).is_file():
        return f"{plugin} is missing"
    option = f"{pathlib.Path(plugin).resolve()},out={NONE}"
    run = subprocess.run(
        [qemu, "-M", "none", "-nodefaults", "-display", "none", "-monitor",
         "stdio", "-plugin", option], text=True, check=False,
        input="quit\n", capture_output=True)
    if run.returncode == 0:
        return None
    said = run.stderr.strip().splitlines()
    return said[0] if said else f"exit code {run.returncode} of {qemu}"


class Counter:
    """The plug-in beside one boot; without its path nothing is counted."""

    def __init__(self, plugin):
        self.plugin = plugin and pathlib.Path(plugin).resolve()
        self.folder = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name, "events")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.folder.cleanup()

    @property
    def option(self):
        """Value of QEMU's -plugin."""
        return f"{self.plugin},out={self.file}" if self.plugin else ""

    def join(self, rows):
        """The rows of the boot, with what was counted."""
        if not self.plugin:
            return [row for row in rows if row["type"] != KNOWN]
        return joined(rows, self.file.read_text())


def numbers(line):
    """The two numbers of a line."""
    words = line.split()
    if len(words) != len(FIELDS) or not all(word.isdecimal()
                                            for word in words):
        raise Wrong(f"a line of the plug-in is not two numbers: {line}")
    return tuple(map(int, words))


def joined(rows, text):
    """Rows with the numbers of each operation; the known row is checked and
    left out."""
    found = [numbers(line) for line in text.splitlines()]
    marked = [row for row in rows if row["type"] in MARKED]
    if not marked or marked[0]["type"] != KNOWN:
        raise Wrong("the guest has no events whose number is known")
    if len(found) != len(marked):
        raise Wrong(f"{len(found)} lines of the plug-in for {len(marked)} "
                    "rows")
    known = tuple(marked[0][field] for field in FIELDS)
    if found[0] != known:
        raise Wrong(f"the plug-in counted {found[0]} events instead of "
                    f"{known}")
    counts = iter(found[1:])
    return [with_counts(row, next(counts)) if row["type"] in MARKED else row
            for row in rows if row["type"] != KNOWN]


def with_counts(row, counts):
    """A row with its two means."""
    return {**row, **{field: round(count / row["ops"], DIGITS)
                      for field, count in zip(FIELDS, counts)}}


def without(row):
    """A row as it is without the plug-in."""
    return {name: value for name, value in row.items() if name not in FIELDS}
