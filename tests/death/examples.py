# SPDX-License-Identifier: BSD-3-Clause
"""The examples of docs/reports.md are what crimes really end in.

An example is an indented block: a line `$ crime NAME SIZE:OFFSET`, then the
report. Options in brackets behind it are needed beside those of the default.
Addresses and threads differ from run to run; they are numbered in the order in
which they appear, so that equal ones stay equal. Distances of ten digits and
more are as good as any other. What depends on where an object happens to lie,
not on the library, gets several attempts.
"""
import dataclasses
import re

EXAMPLE = re.compile(r"^    \$ crime (\w+) (\d+):(\w+)(?: \[([A-Z_ ]+)\])?\n"
                     r"((?:    .+\n)*)", re.M)
VARYING = re.compile(r"0x[0-9a-f]+|(?<=thread )\d+|\d{10,}")
ATTEMPTS = 20
NEEDS = {"CANARY", "WRITE_AFTER_FREE", "KIND_CHECK", "QUARANTINE"}


@dataclasses.dataclass
class Example:
    """One block of the document."""

    crime: str
    size: int
    offset: int
    needs: set
    report: str

    def name(self):
        """Crime and arguments."""
        return f"example {self.crime} {self.size}:{self.offset}"


def read(text):
    """All examples of the document."""
    return [Example(crime, int(size), int(offset, 0),
                    NEEDS | set(needs.split()),
                    re.sub("^    ", "", report, flags=re.M))
            for crime, size, offset, needs, report in EXAMPLE.findall(text)]


def constant(report):
    """A report without what differs from run to run."""
    seen = {}
    return VARYING.sub(
        lambda m: f"#{seen.setdefault(m[0], len(seen))}", report)


def missing(example, options):
    """Options that are off although the example needs them."""
    return sorted(example.needs - options) if options is not None else []


def check(example, execute):
    """(state, explanation); execute() commits the crime."""
    for _ in range(ATTEMPTS):
        report = execute().stderr
        if constant(report) == constant(example.report):
            return "ok", ""
    return "not ok", ("docs/reports.md says otherwise; --write-examples "
                      f"renews it\n{report.rstrip()}")


def write(path, options, execute):
    """Replaces the report of every example that can be had by a new one."""
    def renew(found):
        example = read(found[0])[0]
        if missing(example, options):
            return found[0]
        report = execute(example).stderr
        lines = "".join(f"    {line}\n" for line in report.splitlines())
        return found[0].split("\n", 1)[0] + "\n" + lines

    path.write_text(EXAMPLE.sub(renew, path.read_text()))
