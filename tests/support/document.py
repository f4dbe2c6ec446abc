# SPDX-License-Identifier: BSD-3-Clause
"""Tables in documents that programs write."""

MARKS = ("<!-- table: begin -->\n", "<!-- table: end -->\n")


def put_into(path, text):
    """Replaces what stands between the marks of a document."""
    old = path.read_text()
    before, begin, rest = old.partition(MARKS[0])
    _, end, behind = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"{path} has no place for the table")
    path.write_text(before + begin + text + end + behind)
