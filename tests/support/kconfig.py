#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The configuration: build/.config and the header made from it.

    kconfig.py update     .config from what is there, defaults for the rest
    kconfig.py defconfig  .config from a file of choices (--from) or defaults
    kconfig.py save       the choices that differ from the defaults

A wrong value stops with a sentence that names the option.
Uses Debian's python3-kconfiglib.
"""
import argparse
import os
import pathlib
import re
import sys

import kconfiglib

TOP = "plat/Config.uk"
RULES = (
    (r"assign the value '.*' to the undefined symbol (\w+)",
     "There is no option CONFIG_{0}: remove the line."),
    (r"the value '(.*)' is invalid for (\w+) .* has type (\w+)",
     "CONFIG_{1}={0} is wrong: give a value of type {2}."),
    (r"'(.*)' is not a valid value for the (\w+) symbol (\w+)",
     "CONFIG_{2}={0} is wrong: give a value of type {1}."),
    (r"user value (\S+) on the \w+ symbol (\w+) .*active range \((.*?)\)",
     "CONFIG_{1}={0} is out of range: choose a number in {2}."),
)


def sentence(warning):
    """The warning of kconfiglib in words that say what to change."""
    text = " ".join(warning.split())
    for pattern, words in RULES:
        found = re.search(pattern, text)
        if found:
            return words.format(*found.groups())
    return text


def no_effect(kconf):
    """Options that were chosen but cannot have the value."""
    for sym in kconf.unique_defined_syms:
        if sym.orig_type != kconfiglib.BOOL or sym.user_value is None:
            continue
        if sym.tri_value != sym.user_value:
            yield (f"CONFIG_{sym.name}={'ny'[bool(sym.user_value)]} cannot "
                   f"be: see what it depends on and what selects it.")


def load(path, strict):
    """Configuration of the file; stops at a value that is wrong."""
    os.environ["KCONFIG_WARN_UNDEF_ASSIGN"] = "y"
    kconf = kconfiglib.Kconfig(TOP, warn_to_stderr=False)
    kconf.warn_assign_undef = True
    kconf.warn_assign_override = False
    if path:
        kconf.load_config(str(path))
    for sym in kconf.unique_defined_syms:
        _ = sym.str_value  # ranges are checked on evaluation
    bad = [sentence(warning) for warning in kconf.warnings]
    bad += list(no_effect(kconf)) if strict else []
    if bad:
        where = path or TOP
        sys.exit("\n".join(f"{where}: {line}" for line in bad))
    return kconf


def write(kconf, out):
    """Writes .config always (its time is the build's stamp), the header
    only if it changes."""
    header = out / "include" / "uk" / "config.h"
    header.parent.mkdir(parents=True, exist_ok=True)
    config = out / ".config"
    kconf.write_config(str(config), save_old=False)
    os.utime(config)
    kconf.write_autoconf(str(header))


def main():
    """Runs one command."""
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("command", choices=("update", "defconfig", "save"))
    args.add_argument("--out", type=pathlib.Path, required=True)
    args.add_argument("--from", dest="source", type=pathlib.Path)
    args = args.parse_args()
    config = args.out / ".config"

    if args.command == "defconfig":
        write(load(args.source, strict=True), args.out)
    elif args.command == "update":
        write(load(config if config.exists() else None, False), args.out)
    else:
        target = args.out / "defconfig"
        load(config, strict=False).write_min_config(str(target))
        print(target)


if __name__ == "__main__":
    main()
