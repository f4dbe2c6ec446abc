# SPDX-License-Identifier: BSD-3-Clause
"""The examples of docs/reports.md are what crimes really end in.

An example is an indented block: a line `$ crime NAME SIZE:OFFSET`, then the
report. Addresses and threads differ from run to run; they are numbered in the
order in which they appear, so that equal ones stay equal. Distances of ten
digits and more are as good as any other. What depends on where an object
happens to lie, not on the library, gets several attempts.
"""
import dataclasses
import re

EXAMPLE = re.compile(r"^    \$ crime (\w+) (\d+):(\w+)\n((?:    .+\n)*)", re.M)
VARYING = re.compile(r"0x[0-9a-f]+|(?<=thread )\d+|\d{10,}")
ATTEMPTS = 20
NEEDS = {"CANARY", "WRITE_AFTER_FREE", "KIND_CHECK", "QUARANTINE"}


@dataclasses.dataclass
class Example:
    """One block of the document."""

    crime: str
    size: int
    offset: int
    report: str

    def name(self):
        """Crime and arguments."""
        return f"example {self.crime} {self.size}:{self.offset}"


def read(text):
    """All examples of the document."""
    return [Example(crime, int(size), int(offset, 0),
                    re.sub("^    ", "", report, flags=re.M))
            for crime, size, offset, report in EXAMPLE.findall(text)]


def constant(report):
    """A report without what differs from run to run."""
    seen = {}
    return VARYING.sub(
        lambda m: f"#{seen.setdefault(m[0], len(seen))}", report)


def missing(options):
    """Options that are off although some example needs them."""
    return sorted(NEEDS - options) if options is not None else []


def check(example, execute):
    """(state, explanation); execute() commits the crime."""
    for _ in range(ATTEMPTS):
        report = execute().stderr
        if constant(report) == constant(example.report):
            return "ok", ""
    return "not ok", ("docs/reports.md says otherwise; --write-examples "
                      f"renews it\n{report.rstrip()}")


def write(path, execute):
    """Replaces the report of every example by a new one."""
    def renew(found):
        name, size, offset = found[1], int(found[2]), int(found[3], 0)
        report = execute(Example(name, size, offset, "")).stderr
        lines = "".join(f"    {line}\n" for line in report.splitlines())
        return f"    $ crime {name} {size}:{found[3]}\n{lines}"

    path.write_text(EXAMPLE.sub(renew, path.read_text()))
