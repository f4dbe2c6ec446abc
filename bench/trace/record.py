#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Records redis.trace and sqlite.trace anew.

    record.py librecord.so libukallocrnd.so folder

The programs are Debian's. redis-server may be missing: redis-check-rdb of
redis-tools is the same program, and serves when called by that name.
"""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
PORT = "16379"


def find(name):
    """A program of the system."""
    found = shutil.which(name)
    if not found:
        sys.exit(f"record.py: there is no {name}: install redis-tools and "
                 f"sqlite3")
    return found


def environment(libraries, raw):
    """What makes a program record its events."""
    preload = " ".join(str(pathlib.Path(lib).resolve()) for lib in libraries)
    return {**os.environ, "LD_PRELOAD": preload, "UKTRACE": str(raw),
            "LC_ALL": "C"}


def redis(libraries, scratch, raw):
    """The server under redis_load.py, without files and on the loopback."""
    command = ["redis-server", "--port", PORT, "--bind", "127.0.0.1",
               "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, executable=find("redis-check-rdb"),
                          stdout=subprocess.DEVNULL, cwd=scratch,
                          env=environment(libraries, raw)) as server:
        load = subprocess.run([sys.executable, HERE / "redis_load.py", PORT],
                              check=False)
        if load.returncode:
            server.kill()
    return load.returncode or server.returncode


def sqlite(libraries, scratch, raw):
    """The shell with the script of sqlite_load.py, on a new file."""
    script = subprocess.run([sys.executable, HERE / "sqlite_load.py"],
                            check=True, stdout=subprocess.PIPE).stdout
    return subprocess.run([find("sqlite3"), "-batch", "-bail", "db"],
                          input=script, stdout=subprocess.DEVNULL,
                          check=False, cwd=scratch,
                          env=environment(libraries, raw)).returncode


def record(run, libraries, folder):
    """One trace."""
    name = run.__name__
    with tempfile.TemporaryDirectory() as scratch:
        raw = pathlib.Path(scratch, "events.raw")
        if run(libraries, scratch, raw):
            sys.exit(f"record.py: {name} failed")
        print(f"{name}:", flush=True)
        subprocess.run([sys.executable, HERE / "encode.py", raw,
                        pathlib.Path(folder, f"{name}.trace")], check=True)


def main():
    """Records both."""
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if not importlib.util.find_spec("lz4"):
        sys.exit("record.py: there is no lz4: install python3-lz4")
    pathlib.Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    for run in (redis, sqlite):
        record(run, sys.argv[1:3], sys.argv[3])


if __name__ == "__main__":
    main()
