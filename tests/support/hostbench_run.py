# SPDX-License-Identifier: BSD-3-Clause
"""Starts programs with an allocator and reads what they took.

bench/host/launch.c does the measuring; this file feeds it and reads it.
"""
import hashlib
import json
import os
import pathlib
import subprocess

TIMEOUT_S = 120


class Runner:
    """Runs programs one after the other."""

    def __init__(self, programs, scratch):
        self.programs = pathlib.Path(programs).resolve()
        self.scratch = pathlib.Path(scratch).resolve()
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.output = self.scratch / "output"

    def program(self, word):
        """One of our own programs, or one of the system."""
        path = self.programs / str(word)
        return str(path) if "/" not in str(word) and path.exists() else \
            str(word)

    def start(self, alloc, words, folder, env):
        """Starts a program; end() returns what it took."""
        preload = ["-p", str(alloc.path)] if alloc else []
        return subprocess.Popen(  # pylint: disable=consider-using-with
            [self.program("launch"), *preload, "-o", str(self.output),
             "-t", str(TIMEOUT_S), "--", self.program(words[0]),
             *map(str, words[1:])],
            cwd=folder, env=environment(folder, env), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    @staticmethod
    def end(process):
        """Waits for the end; a dict with status, wall, cpu, rss, errors."""
        out, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(f"launch failed: {errors}")
        result = json.loads(out)
        result["cpu"] = result["user"] + result["sys"]
        result["errors"] = errors
        return result

    def run(self, alloc, words, folder=None, env=None):
        """Runs a program to its end."""
        folder = folder or self.scratch
        result = self.end(self.start(alloc, words, folder, env or {}))
        result["output"] = self.output.read_bytes()
        return result


def environment(folder, more):
    """Nothing of the caller's settings gets into a measured program."""
    return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(folder),
            "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", **more}


def result_of(result):
    """The JSON object that our own programs print."""
    return json.loads(result["output"])


def digest(result):
    """What a real program printed, short."""
    return hashlib.sha256(result["output"]).hexdigest()[:16]


def processor():
    """Model of the CPU and how many there are."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines
              if line.startswith("model name")]
    return models[0] if models else "unknown", os.cpu_count()
