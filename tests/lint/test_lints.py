#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each lint accepts a small clean tree and rejects one planted violation."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

from check_text import LICENCE

HERE = pathlib.Path(__file__).resolve().parent

CLEAN = {
    ".clang-format": (HERE.parents[1] / ".clang-format").read_text(),
    "include/uk/essentials.h": LICENCE,
    "lib/ukallocrnd/low.h": LICENCE + "\nint low(void);\n",
    "lib/ukallocrnd/high.h": LICENCE + '\n#include "low.h"\n',
    "lib/ukallocrnd/port_uk.c": LICENCE + "\n#include <uk/vmem.h>\n",
    "lib/ukallocrnd/report.c": LICENCE + """
static const char *const words[] = {
\t[RND_BUG_X] = "bad thing",
};
""",
    "lib/ukallocrnd/pair.c": LICENCE + """
void put(void)
{
\t/* Release. Pairs with the acquire in take() */
}

void take(void)
{
\t/* Acquire. Pairs with the
\t * release in put()
\t */
}
""",
    "lib/ukallocrnd/Makefile.uk": """\
# SPDX-License-Identifier: BSD-3-Clause
LIBX_SRCS-y += $(LIBX_BASE)/pair.c|isr
LIBX_SRCS-y += $(LIBX_BASE)/port_uk.c
LIBX_SRCS-y += $(LIBX_BASE)/report.c
""",
    "lib/ukallocrnd/Config.uk": "config X\n\tbool \"x\"\n\thelp\n\t  Is x.\n",
    "tests/lint/layers.tsv": (
        "layer\tlib/ukallocrnd\t0\tlow report pair port_uk\n"
        "layer\tlib/ukallocrnd\t1\thigh\n"
        "door\tlib/ukallocrnd/port_uk.c\tuk/*\n"
        "door\tlib/*\tuk/essentials.h stddef.h\n"),
    "Makefile": ("# SPDX-License-Identifier: BSD-3-Clause\n"
                 "test: ## all\n.PHONY: test\n"),
    "README.md": "## Table of reports\n\n| `bad thing` | x |\n\n"
                 "Type `make test`.\n",
    "docs/reports.md": "| Place | Meaning |\n|---|---|\n| `bad thing` | x |\n\n"
                       "## Bad thing\n\n"
                       "    ukallocrnd: BUG: bad thing: ptr=0x0\n",
}

# For the check of the port to Unikraft, which reads and builds more
TREE = HERE.parents[1]
UNIKRAFT = {
    "Makefile.uk": (TREE / "Makefile.uk").read_text(),
    "tests/support/uk.mk": (TREE / "tests/support/uk.mk").read_text(),
    "Config.uk": 'config LIBUKALLOCRND\n\tbool "x"\n',
    "include/uk/ours.h": LICENCE,
    "lib/ukallocrnd/Makefile.uk": """\
$(eval $(call addlib_s,libukallocrnd,y))
LIBUKALLOCRND_SRCS-y += $(LIBUKALLOCRND_BASE)/low.c|isr
LIBUKALLOCRND_SRCS-$(CONFIG_PAGING) += $(LIBUKALLOCRND_BASE)/map.c|isr
LDFLAGS-$(CONFIG_PAGING) += -Wl,--wrap=map
""",
    "lib/ukallocrnd/exportsyms.uk": "uk_low\n__wrap_map\n",
    "lib/ukallocrnd/low.c": "#include <uk/map.h>\n"
                            "int uk_low(void) { return map_base(1); }\n",
    "lib/ukallocrnd/map.c": "int __real_map(int page);\n"
                            "int __wrap_map(int page)\n"
                            "{ return __real_map(page) + 1; }\n",
    "tests/unikraft/options.uk": 'config PAGING\n\tbool "x"\n'
                                 'source "Config.uk"\n',
    "tests/unikraft/configs.tsv": "flat\t-\npaging\tPAGING=y\n",
    "tests/unikraft/symbols.tsv": "map_base\ty\nmap\tPAGING\n",
    "tests/unikraft/include/uk/map.h": "int map_base(int x);\n",
}

# lint, file, text to replace (empty: append), replacement, finding
PLANTED = [
    ("layers", "lib/ukallocrnd/low.h", "\nint", '\n#include "high.h"\nint',
     "low.h:7: includes high.h of a higher layer"),
    ("layers", "lib/ukallocrnd/new.h", "", LICENCE, "has no layer"),
    ("layers", "lib/ukallocrnd/pair.c", "\nvoid put",
     "\n#include <uk/vmem.h>\nvoid put", "may not include <uk/vmem.h>"),
    ("layers", "lib/ukallocrnd/pair.c", "\nvoid put",
     "\n#include <stdio.h>\nvoid put", "may not include <stdio.h>"),
    ("pairs", "lib/ukallocrnd/pair.c", "release in put()", "lock",
     "put() pairs with take(), which does not say so"),
    ("pairs", "lib/ukallocrnd/pair.c", "in take()", "in lost()",
     "put() pairs with lost(), which does not exist"),
    ("text", "lib/ukallocrnd/pair.c", "2026", "1999", "licence header"),
    ("text", "lib/ukallocrnd/low.h", "int low", "int " + 80 * "l",
     "low.h:7: is longer than 80 columns"),
    ("text", "lib/ukallocrnd/low.h", "(void);", "(void); ",
     "low.h:7: ends in blanks"),
    ("text", "lib/ukallocrnd/low.h", "(void);", "(void); // low",
     "low.h:7: has a // comment"),
    ("text", "lib/ukallocrnd/low.h", "int low", "/* TO" "DO */ int low",
     "low.h:7: is unfinished"),
    ("text", "lib/ukallocrnd/low.h", "(void);\n", "(void);",
     "must end in exactly one line end"),
    ("text", "Makefile", "# SPDX", "# PSDX", "has no SPDX line"),
    ("docs", "README.md", "`bad thing`", "`good thing`",
     "lacks `bad thing`"),
    ("docs", "lib/ukallocrnd/report.c", '"bad thing",', '"other",',
     "there is no report `bad thing`"),
    ("docs", "docs/reports.md", "BUG: bad", "BUG: good",
     "has no example of `bad thing`"),
    ("docs", "docs/reports.md", "| `bad thing`", "| `nowhere`",
     "nothing says `nowhere`"),
    ("docs", "lib/ukallocrnd/Config.uk", "\thelp\n\t  Is x.\n", "",
     "option X has no help"),
    ("docs", "README.md", "make test", "make tea", "`make tea` is not in"),
    ("docs", "Makefile", ".PHONY: test", ".PHONY: none",
     "target test is not in .PHONY"),
    ("format", "lib/ukallocrnd/low.h", "int low(void)", "int low( void )",
     "low.h: type `make format`"),
    ("sources", "lib/ukallocrnd/new.c", "", LICENCE,
     "new.c: is in no Makefile.uk"),
    ("sources", "lib/ukallocrnd/Makefile.uk", "/pair.c|isr", "/lost.c|isr",
     "lost.c: is in a Makefile.uk but not in the tree"),
    ("unikraft", "tests/unikraft/include/uk/map.h", "int x", "void",
     "error: too many arguments"),
    ("unikraft", "lib/ukallocrnd/low.c", "uk/map.h", "uk/ours.h",
     "uk/ours.h: No such file"),
    ("unikraft", "lib/ukallocrnd/map.c", "int __real",
     '#include "../../include/uk/ours.h"\nint __real',
     "include/uk/ours.h: is not there in a Unikraft tree"),
    ("unikraft", "tests/unikraft/include/uk/more.h", "", LICENCE,
     "uk/more.h: nobody includes it"),
    ("unikraft", "tests/unikraft/configs.tsv", "=y", "=2",
     "paging: PAGING=2 cannot be"),
    ("unikraft", "tests/unikraft/symbols.tsv", "map_base\ty\n", "",
     "map_base: is needed in flat, paging; listed: n"),
    ("unikraft", "tests/unikraft/symbols.tsv", "base\ty", "base\tPAGING",
     "map_base: is needed in flat; listed: PAGING"),
    ("unikraft", "tests/unikraft/symbols.tsv", "map\tP", "extra\ty\nmap\tP",
     "extra: is listed, but nobody needs it"),
    ("unikraft", "lib/ukallocrnd/exportsyms.uk", "__wrap_map\n", "",
     "exportsyms.uk: lacks __wrap_map"),
    ("unikraft", "lib/ukallocrnd/exportsyms.uk", "uk_low\n", "",
     "exportsyms.uk: lacks uk_low"),
    ("unikraft", "lib/ukallocrnd/exportsyms.uk", "uk_low", "uk_low\nuk_lost",
     "exportsyms.uk: nobody defines uk_lost"),
    ("unikraft", "lib/ukallocrnd/Makefile.uk", "LDFLAGS-$", "LDFLAGS-n$",
     "paging: __wrap_map is defined, but not asked for"),
    ("unikraft", "lib/ukallocrnd/Makefile.uk", "LDFLAGS-$", "LDFLAGS-n$",
     "__real_map: is needed in paging, but not wrapped"),
    ("unikraft", "lib/ukallocrnd/Makefile.uk", "LDFLAGS-$(CONFIG_PAGING)",
     "LDFLAGS-y", "flat: __wrap_map is asked for, but not defined"),
]


def clean_of(name):
    """The clean tree of a lint."""
    return UNIKRAFT if name == "unikraft" else CLEAN


def plant(root, clean, changes):
    """Writes the clean tree with some files changed."""
    for name, text in (clean | changes).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lint(name, changes):
    """Exit status and output of a lint on the tree with these changes."""
    with tempfile.TemporaryDirectory() as folder:
        plant(pathlib.Path(folder), clean_of(name), changes)
        run = subprocess.run([sys.executable, HERE / f"check_{name}.py",
                              folder], text=True, check=False,
                             capture_output=True)
        return run.returncode, run.stdout + run.stderr


def header_check(text):
    """Runs check_headers.py on a tree with one header."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        plant(root, CLEAN, {"lib/ukallocrnd/low.h": text,
                            "host/flags": "cc -Iinclude\n"})
        for name in ("check_headers.py", "tree.py"):
            (root / "tests/lint" / name).write_text((HERE / name).read_text())
        run = subprocess.run(
            [sys.executable, root / "tests/lint/check_headers.py",
             root / "host/flags"], text=True, check=False,
            capture_output=True)
        return run.returncode, run.stdout + run.stderr


class Lints(unittest.TestCase):
    """One test per lint on the clean tree, one per planted violation."""

    def test_clean_tree_passes(self):
        """No lint finds anything where nothing is."""
        for name in sorted({row[0] for row in PLANTED}):
            with self.subTest(name):
                status, output = lint(name, {})
                self.assertEqual(status, 0, output)

    def test_planted_violation_is_found(self):
        """The finding is the planted one, with its place."""
        for name, path, old, new, finding in PLANTED:
            with self.subTest(finding):
                text = clean_of(name).get(path, "")
                self.assertIn(old, text)
                changed = text.replace(old, new, 1) if old else new
                status, output = lint(name, {path: changed})
                self.assertEqual(status, 1, output)
                self.assertIn(finding, output)

    def test_header_that_needs_another_is_found(self):
        """A header must bring what it uses, and stand being read twice."""
        clean = LICENCE + "#ifndef L\n#define L\nint low(void);\n#endif\n"
        self.assertEqual(header_check(clean)[0], 0)
        for text in ("unknown_type low(void);\n", "struct low { int x; };\n"):
            status, output = header_check(LICENCE + text)
            self.assertEqual(status, 1)
            self.assertIn("low.h: does not compile alone", output)


if __name__ == "__main__":
    unittest.main()
