#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs fuzz targets and keeps what they find.

    corpus.py --out DIR fuzz [--time S] TARGET...   libFuzzer on DIR/TARGET
    corpus.py --out DIR keep TARGET...              rewrite the kept inputs
    corpus.py --out DIR replay TARGET...            DIR/replay-TARGET on them

The kept inputs of a target are the lines of corpus/TARGET.hex. What libFuzzer
adds while it runs lies in DIR/TARGET.found, one file each; `keep` chooses the
fewest of both that reach everything. Inputs that failed once stay for good, in
corpus/TARGET.bugs.hex.
"""
import argparse
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# Length from the beginning: a short sequence of operations does little
FLAGS = ["-max_len=2048", "-len_control=0", "-timeout=60",
         "-rss_limit_mb=4096"]
# Seconds until a process makes room for the next one: each run leaves pages
# behind, of the sanitizer for a heap that was somewhere else
SHIFT = 300
STATS = re.compile(r"^(?:Done .*|.*DONE +cov: .*)$", re.M)


RANDOM = 1000  # random inputs at each replay
LIMIT = 340_000  # characters of a target's inputs


def kept(target):
    """The file of a target's inputs."""
    return HERE / "corpus" / f"{target}.hex"


def known(target):
    """The files with its inputs."""
    bugs = kept(f"{target}.bugs")
    return [path for path in (kept(target), bugs) if path.exists()]


def unpack(target, folder):
    """Writes the kept inputs as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in known(target):
        for line in path.read_text().splitlines():
            data = bytes.fromhex(line)
            name = hashlib.sha1(data).hexdigest()
            (folder / name).write_bytes(data)


def pack(target, folder):
    """Writes the files of a folder as kept inputs, the shortest first and as
    many as there is room for."""
    inputs = {path.read_bytes() for path in folder.iterdir()} - {b""}
    lines = sorted((data.hex() + "\n" for data in inputs),
                   key=lambda text: (len(text), text))
    while sum(len(line) for line in lines) > LIMIT:
        lines.pop()
    kept(target).parent.mkdir(exist_ok=True)
    kept(target).write_text("".join(lines))
    return len(lines)


def fuzz(args, target):
    """Runs libFuzzer for a while; its exit status."""
    found = args.out / f"{target}.found"
    unpack(target, found)
    log = args.out / f"{target}.log"
    log.write_text("")
    print(f"fuzz {target}: {args.time} s", flush=True)
    end = time.monotonic() + args.time
    while (left := round(end - time.monotonic())) > 0:
        command = [args.out / target, *FLAGS,
                   f"-max_total_time={min(left, SHIFT)}",
                   f"-artifact_prefix={args.out}/{target}-", found]
        done = subprocess.run(command, check=False, text=True,
                              errors="replace", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        with log.open("a") as file:
            file.write(done.stdout)
        if done.returncode:
            print(done.stdout[-8000:], flush=True)
            return done.returncode
        print("\n".join(STATS.findall(done.stdout)), flush=True)
    return 0


def keep(args, target):
    """Minimises the corpus of a target."""
    found = args.out / f"{target}.found"
    least = args.out / f"{target}.least"
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir()
    unpack(target, found)
    done = subprocess.run([args.out / target, *FLAGS, "-set_cover_merge=1",
                           least, found], check=False)
    if done.returncode == 0:
        print(f"{target}: {pack(target, least)} inputs kept")
    return done.returncode


def replay(args, target):
    """Runs the kept inputs without the fuzzer."""
    if not kept(target).exists():
        print(f"not ok {target}: there are no inputs")
        return 1
    done = subprocess.run([args.out / f"replay-{target}", "--random",
                           str(RANDOM), *known(target)], check=False,
                          text=True, capture_output=True)
    print(done.stdout + done.stderr, end="")
    if done.returncode:
        print(f"not ok {target}: ended with status {done.returncode}")
    return done.returncode


def main():
    """Does one action for all targets."""
    actions = {"fuzz": fuzz, "keep": keep, "replay": replay}
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--time", type=int, default=60)
    parser.add_argument("action", choices=actions)
    parser.add_argument("targets", nargs="+")
    args = parser.parse_args()
    args.out = args.out.resolve()
    bad = sum(1 for target in args.targets
              if actions[args.action](args, target))
    if args.action == "replay":
        print(f"{len(args.targets) - bad} passed, {bad} failed, 0 skipped")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
