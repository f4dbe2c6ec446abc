#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The documents say what the code does.

The table of reports in README.md has the words of report.c in the order of
enum rnd_bug; docs/reports.md has an example of each, and places that the code
knows; every option has a help text; every target that README.md,
CONTRIBUTING.md and tests/README.md name exists and is in `make help`.
"""
import re
import subprocess
import sys

import tree

WORDS = re.compile(r'^\s*\[RND_BUG_\w+\]\s*=\s*(?:\{\s*)?"([^"]+)"', re.M)
ROW = re.compile(r"^\| `([^`]+)` \|", re.M)
DOCS = ("README.md", "CONTRIBUTING.md", "tests/README.md", "bench/README.md")


def section(text, title):
    """Text below a heading whose words contain the title."""
    found = re.search(rf"^#+ [^\n]*{title}[^\n]*\n(.*?)(?=^#+ |\Z)", text,
                      re.M | re.S | re.I)
    return found[1] if found else ""


def check_reports(root):
    """README's table against report.c."""
    code = WORDS.findall((root / "lib/ukallocrnd/report.c").read_text())
    readme = root / "README.md"
    text = readme.read_text() if readme.exists() else ""
    told = ROW.findall(section(text, "reports"))
    if not code:
        yield "lib/ukallocrnd/report.c: no words of reports found"
    for word in code:
        if word not in told:
            yield f"README.md: the table of reports lacks `{word}`"
    for word in told:
        if word not in code:
            yield f"README.md: there is no report `{word}`"


def check_examples(root):
    """docs/reports.md: an example of each kind, and no place but real ones."""
    path = root / "docs/reports.md"
    text = path.read_text() if path.exists() else ""
    for word in WORDS.findall((root / "lib/ukallocrnd/report.c").read_text()):
        if not re.search(rf"^    ukallocrnd: BUG: {word}: ",
                         section(text, f"{re.escape(word)}$"), re.M):
            yield f"docs/reports.md: has no example of `{word}`"
    code = "".join(p.read_text() for p in
                   sorted((root / "lib/ukallocrnd").glob("*.c")))
    table = re.search(r"^\| Place \|.*?\n\n", text, re.M | re.S)
    for place in ROW.findall(table[0] if table else ""):
        if f'"{place}"' not in code:
            yield f"docs/reports.md: nothing says `{place}`"


def check_options(root):
    """Every option of Config.uk explains itself."""
    for path in tree.files(root, ".uk"):
        if path.name != "Config.uk":
            continue
        text = (root / path).read_text()
        entries = re.split(r"^(?=(?:menu)?config |if |endif|source |menu)",
                           text, flags=re.M)
        for entry in entries:
            name = re.match(r"(?:menu)?config (\w+)", entry)
            if name and not re.search(r"^\thelp$\n\t  \S", entry, re.M):
                yield f"{path}: option {name[1]} has no help"


def targets(root):
    """(all targets that are phony, those with a line in `make help`)."""
    phony, helped = set(), set()
    for path in [root / "Makefile", *sorted(root.glob("tests/support/*.mk"))]:
        text = path.read_text().replace("\\\n", " ")
        for line in text.splitlines():
            if line.startswith(".PHONY:"):
                phony.update(line.split()[1:])
            found = re.match(r"([a-z0-9-]+):.* ## ", line)
            if found:
                helped.add(found[1])
    return phony, helped


def check_targets(root):
    """Targets in the documents and in `make help`."""
    phony, helped = targets(root)
    for name in sorted(helped - phony):
        yield f"Makefile: target {name} is not in .PHONY"
    for doc in DOCS:
        if not (root / doc).exists():
            continue
        text = (root / doc).read_text()
        for name in re.findall(r"`make ((?:[A-Z]+=\S+ )*[a-z][a-z0-9-]*)",
                               text):
            name = name.split()[-1]
            if name not in helped:
                yield f"{doc}: `make {name}` is not in `make help`"


def check_help(root):
    """`make help` prints all of them, also after things were built."""
    helped = targets(root)[1]
    if "help" not in helped:
        return
    printed = subprocess.run(["make", "-C", root, "help"], text=True,
                             capture_output=True, check=False)
    for name in sorted(helped):
        if not re.search(rf"^  {name} ", printed.stdout, re.M):
            yield f"Makefile: `make help` does not print {name}"


def main():
    """Checks the tree."""
    root = tree.root_of(sys.argv)
    bad = [*check_reports(root), *check_examples(root), *check_options(root),
           *check_targets(root), *check_help(root)]
    tree.end("docs", bad, "reports, options and targets agree")


if __name__ == "__main__":
    main()
