#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and tests the library with other options than the defaults.

    matrix.py [--all]

Without --all: every mitigation off. With it: also each mitigation alone, and
each one off. For every configuration the Linux library is built, the guest's
library is compiled, and unit tests and crimes run; what an option that is off
does not promise, they leave out.
"""
import argparse
import pathlib
import subprocess
import sys

import kconfiglib

PREFIX = "LIBUKALLOCRND_"


def mitigations():
    """Bool options of the library, and what each depends on."""
    kconf = kconfiglib.Kconfig("plat/Config.uk", warn_to_stderr=False)
    return {sym.name: {dep.name for dep in kconfiglib.expr_items(
        sym.direct_dep) if dep.name.startswith(PREFIX)}
            for sym in kconf.unique_defined_syms
            if sym.name.startswith(PREFIX) and not sym.choice and
            sym.orig_type == kconfiglib.BOOL}


def needed(name, options):
    """An option with everything that it depends on."""
    wanted = {name}
    for dep in options[name] & options.keys():
        wanted |= needed(dep, options)
    return wanted


def configurations(options, every):
    """(name, options that are on)."""
    yield "none", set()
    if not every:
        return
    for name in options:
        short = name.removeprefix(PREFIX).lower()
        yield f"only-{short}", needed(name, options)
        yield f"no-{short}", {other for other in options
                              if name not in needed(other, options)}


def write_choices(path, options, chosen):
    """A file of choices for make defconfig."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(
        f"CONFIG_{name}=y\n" if name in chosen else
        f"# CONFIG_{name} is not set\n" for name in options))


def test(out, name, cc, jobs):
    """Builds and tests one configuration; output of the failure or None."""
    make = ["make", f"O={out}", f"CC={cc}"]
    for goals in (["defconfig", f"DEFCONFIG={out}/choices"],
                  [f"-j{jobs}", "preload", "guest-lib"],
                  ["death"], ["unit"]):
        run = subprocess.run([*make, *goals], text=True, check=False,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        if run.returncode:
            return f"not ok {name}: make {goals[-1]}\n{run.stdout[-4000:]}"
    return None


def main():
    """Runs the configurations one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    options = mitigations()
    passed = failed = 0
    for name, chosen in configurations(options, args.all):
        out = args.out / "matrix" / name
        write_choices(out / "choices", options, chosen)
        error = test(out, name, args.cc, args.jobs)
        print(error or f"ok {name}", flush=True)
        failed += bool(error)
        passed += not error
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
