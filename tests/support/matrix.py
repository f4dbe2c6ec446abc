#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and tests the library with other options than the defaults.

    matrix.py [--all]

Without --all: every mitigation off, all on with a sample of every small
object ("guarded", without the unit tests of slots, because there are none),
and the profiles that are not the default. With it: also each mitigation
alone, and each one off. For every configuration the Linux library is built,
the guest's library is compiled, the library's unit tests and the crimes run.
What an option that is off does not promise the unit tests leave out; a crime
that it would detect must now go unseen.
"""
import argparse
import pathlib
import sys

import configs


def configurations(options, every):
    """What is tested."""
    yield configs.only("none", options, ())
    guarded = configs.only("guarded", options, options)
    guarded.chosen[f"{configs.PREFIX}SAMPLE_RATE"] = 1
    yield guarded
    for which in configs.PROFILES:
        if which != "BALANCED":  # the default, which all suites test
            yield configs.profile(which)
    if not every:
        return
    for option in options:
        name = configs.short(option).lower()
        yield configs.only(f"only-{name}", options,
                           configs.needed(option, options))
        yield configs.only(f"no-{name}", options, options.keys() -
                           configs.dependent(option, options))


def test(out, config, cc, jobs):
    """Builds and tests one configuration; output of the failure or None."""
    tests = "T=sample" if config.name == "guarded" else "OF=lib/ukallocrnd/"
    return configs.build(out, config, cc,
                         [f"-j{jobs}", "preload", "guest-lib"]) or \
        configs.make(out, cc, ["death"]) or \
        (configs.make(out, cc, ["misuse", "N=300"])
         if config.name == "STRONG" else None) or \
        configs.make(out, cc, ["unit", tests])


def main():
    """Runs the configurations one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    options = configs.mitigations(configs.kconf_of())
    passed = failed = 0
    for config in configurations(options, args.all):
        error = test(args.out / "matrix" / config.name, config, args.cc,
                     args.jobs)
        print(f"not ok {config.name}: {error}" if error else
              f"ok {config.name}", flush=True)
        failed += bool(error)
        passed += not error
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
