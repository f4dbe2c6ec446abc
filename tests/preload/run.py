#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs real programs with the library preloaded and without, and compares.

Every workload runs twice in an empty directory of its own. It passes if both
runs succeed, give the same output, and the library did not say anything.
workloads.py holds the workloads; api*.c test what the C library promises.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

import workloads

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_S = 600
# What the library may show to the program it is loaded into
EXPORTS = re.compile(
    r"(__libc_)?(malloc|free|calloc|realloc|memalign|valloc|pvalloc)|cfree|"
    r"reallocarray|aligned_alloc|posix_memalign|malloc_usable_size|"
    r"mallinfo2?|mallopt|malloc_(trim|stats|info)|_Zn[wa]m\w*|_Zd[la]Pv\w*")


@dataclasses.dataclass
class Outcome:
    """End of one run."""

    status: int
    digest: str
    text: str
    errors: str
    seconds: float


def run(shell, folder, library):
    """Runs a workload once."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C",
           "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
    # Only the workload itself is preloaded, not the shell that starts it
    env["WITH"] = f"env LD_PRELOAD={library}" if library else "env"
    start = time.monotonic()
    try:
        done = subprocess.run(["/bin/bash", "-euc", shell], cwd=folder,
                              env=env, timeout=TIMEOUT_S, check=False,
                              capture_output=True, stdin=subprocess.DEVNULL)
        status, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        status, out, err = -1, late.stdout or b"", b"no end"
    return Outcome(status, hashlib.sha256(out).hexdigest(),
                   out.decode(errors="replace"),
                   err.decode(errors="replace"), time.monotonic() - start)


def compare(plain, ours):
    """What went wrong, or None."""
    if plain.status:
        return f"fails without the library too:\n{plain.errors[-2000:]}"
    if ours.status or "ukallocrnd:" in ours.errors:
        return f"status {ours.status}\n{ours.text[-1000:]}{ours.errors[-3000:]}"
    if plain.digest != ours.digest:
        return f"other output:\n{plain.text[-1500:]}---\n{ours.text[-1500:]}"
    return None


def workload(name, library):
    """(name, passed, line of text) of one workload."""
    shell = workloads.SHELL[name]
    with tempfile.TemporaryDirectory() as one, \
            tempfile.TemporaryDirectory() as two:
        for folder in (one, two):
            workloads.prepare(name, pathlib.Path(folder))
        plain = run(shell, pathlib.Path(one), None)
        ours = run(shell, pathlib.Path(two), library)
    problem = compare(plain, ours)
    times = f"{ours.seconds:.1f} s, without the library {plain.seconds:.1f} s"
    return name, not problem, f"({times}){problem and ': ' + problem or ''}"


def api(name, command, args):
    """Lines of a program of API tests; it counts its own tests."""
    program = args.out / "preload-check" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*command, "-o", program], check=True)
    env = dict(os.environ, LD_PRELOAD=str(args.library))
    done = subprocess.run([program], env=env, timeout=TIMEOUT_S, check=False,
                          capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    lines = done.stdout.splitlines()
    results = [(f"{name} {line.split()[-1]}", line.startswith("ok"), "")
               for line in lines if re.match(r"(not )?ok ", line)]
    if done.returncode < 0 or not results:
        results.append((f"{name} ends", False,
                        f"status {done.returncode}\n{done.stderr}"))
    for line in lines:
        if line.startswith("#"):
            print(line)
    return results


def api_results(args):
    """Results of the API tests."""
    flags = ["-O1", "-g", "-fno-builtin", "-pthread", "-Wall", "-Wextra",
             "-Werror", "-D_GNU_SOURCE", "-Wno-alloc-size-larger-than"]
    sources = sorted(str(p) for p in HERE.glob("api*.c"))
    return (api("api", ["gcc", "-std=gnu11", *flags, *sources], args) +
            api("api_cxx", ["g++", "-std=c++17", *flags,
                            str(HERE / "api_cxx.cc")], args) +
            # Replacing one form only is the test
            api("api_replaced", ["g++", "-std=c++17", *flags,
                                 "-Wno-sized-deallocation",
                                 str(HERE / "api_replaced.cc")], args) +
            api("api_replaced_some", ["g++", "-std=c++17", *flags,
                                      "-Wno-sized-deallocation",
                                      str(HERE / "api_replaced_some.cc")],
                args))


def exports(args):
    """The library shows its entry points and nothing else."""
    done = subprocess.run(["nm", "-D", "--defined-only", args.library],
                          check=True, capture_output=True, text=True)
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    extra = [n for n in names if not EXPORTS.fullmatch(n)]
    missing = [n for n in ("malloc", "_Znwm") if n not in names]
    return [("exports", not extra and not missing,
             " ".join(extra + missing))]


def arguments():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path("build"))
    parser.add_argument("--library", type=pathlib.Path,
                        help="default: OUT/host/libukallocrnd.so")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("filter", nargs="?", default="",
                        help="only workloads with this in their name")
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.library = (args.library or
                    args.out / "host" / "libukallocrnd.so").resolve()
    return args


def main():
    """Runs everything."""
    args = arguments()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Programs under test raise it; a background job would inherit that it is
    # ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counts = {True: 0, False: 0}

    def show(results):
        for name, passed, text in results:
            counts[passed] += 1
            print("ok" if passed else "not ok", name, text, flush=True)

    if not args.filter:
        show(exports(args))
    if args.filter in "api":
        show(api_results(args))
    names = [n for n in workloads.SHELL if args.filter in n]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for result in pool.map(lambda n: workload(n, args.library), names):
            show([result])
    print(f"{counts[True]} passed, {counts[False]} failed, 0 skipped")
    return int(counts[False] > 0)


if __name__ == "__main__":
    sys.exit(main())
