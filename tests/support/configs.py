# SPDX-License-Identifier: BSD-3-Clause
"""Configurations of the library, and how one is built.

The options come from Config.uk, so that a new one takes part by itself. What
an option depends on is part of every configuration that has it; what depends
on an option is part of none that lacks it.
"""
import dataclasses
import pathlib
import re
import subprocess

import kconfiglib

PREFIX = "LIBUKALLOCRND_"
PROFILES = ("FAST", "BALANCED", "STRONG")


@dataclasses.dataclass
class Config:
    """Options that are chosen: on, off, or a number; others have the value
    that the profile gives them."""

    name: str
    chosen: dict

    def lines(self):
        """What make defconfig reads."""
        for option, value in self.chosen.items():
            if isinstance(value, bool):
                yield f"CONFIG_{option}=y" if value else \
                    f"# CONFIG_{option} is not set"
            else:
                yield f"CONFIG_{option}={value}"

    def write(self, path):
        """A file of choices for make defconfig."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in self.lines()))


def short(option):
    """An option without what all have in common."""
    return option.removeprefix(PREFIX)


def kconf_of(path=None):
    """All options, with the choices of a file or the defaults."""
    kconf = kconfiglib.Kconfig("plat/Config.uk", warn_to_stderr=False)
    if path:
        kconf.load_config(str(path))
    return kconf


def own_symbols(kconf):
    """Options of the library."""
    return [sym for sym in kconf.unique_defined_syms
            if sym.name.startswith(PREFIX)]


def is_substitute(sym):
    """Does the option depend on another one's absence?"""
    dep = sym.direct_dep
    return isinstance(dep, tuple) and any(
        isinstance(part, tuple) and part[0] == kconfiglib.NOT
        for part in (dep, *dep))


def mitigations(kconf):
    """Bool options, and what each depends on. Not those that are there only
    without another one."""
    return {sym.name: {dep.name for dep in kconfiglib.expr_items(
        sym.direct_dep) if dep.name.startswith(PREFIX)}
            for sym in own_symbols(kconf)
            if not sym.choice and sym.orig_type == kconfiglib.BOOL and
            not is_substitute(sym)}


def values(kconf):
    """Every option with its value, as text."""
    return {sym.name: sym.str_value for sym in own_symbols(kconf)}


def needed(name, options):
    """An option with everything that it depends on."""
    wanted = {name}
    for dep in options[name] & options.keys():
        wanted |= needed(dep, options)
    return wanted


def dependent(name, options):
    """An option with everything that depends on it."""
    return {other for other in options if name in needed(other, options)}


def only(name, options, wanted):
    """These options are on and all others off."""
    return Config(name, {option: option in wanted for option in options})


def profile(which, changes=None):
    """A profile, or a profile with a few options changed."""
    return Config(which, {f"{PREFIX}PROFILE_{which}": True,
                          **(changes or {})})


def told(sym, word):
    """What the help of an option says after a word with a colon."""
    text = " ".join(node.help or "" for node in sym.nodes)
    found = re.search(rf"\b{word}:\s(.*?)(?=\s\w+:\s|$)",
                      " ".join(text.split()))
    return found[1].rstrip(". ") if found else ""


def make(out, cc, goals):
    """Runs make for a configuration; what it said if it failed, or None."""
    run = subprocess.run(["make", f"O={out}", f"CC={cc}", *goals], text=True,
                         check=False, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    return f"make {goals[-1]}\n{run.stdout[-4000:]}" if run.returncode \
        else None


def build(out, config, cc, goals):
    """Configures and builds; what make said if it failed, or None."""
    out = pathlib.Path(out)
    config.write(out / "choices")
    return make(out, cc, ["defconfig", f"DEFCONFIG={out}/choices"]) or \
        make(out, cc, goals)
