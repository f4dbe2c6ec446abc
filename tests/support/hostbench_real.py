# SPDX-License-Identifier: BSD-3-Clause
"""Real programs: how each is prepared, started and measured.

A program is run in a folder of its own, which prepare() fills once for all
allocators. What it prints must be the same with every allocator.
"""
import pathlib
import shutil
import socket
import subprocess
import time

import hostbench_data as data
from hostbench_work import Work

# How often redis-benchmark sends each command, and what it sends
REDIS_REQUESTS = 60000
REDIS_COMMANDS = "set,get,incr,lpush,rpop,sadd,hset,spop,zadd,lrange_100,mset"


def git_repository(folder, scale):
    """Makes a repository with one pack; git itself is not measured here."""
    run = ["git", "-C", folder / "repo"]
    (folder / "repo").mkdir()
    subprocess.run([*run, "init", "-q", "--bare"], check=True)
    stream = "".join(data.history(7, 1500, scale))
    subprocess.run([*run, "fast-import", "--quiet"], input=stream, text=True,
                   check=True)
    subprocess.run([*run, "symbolic-ref", "HEAD", "refs/heads/main"],
                   check=True)


def file_of(name, make):
    """A step of preparation that writes one file."""
    return lambda folder, scale: (folder / name).write_text(make(scale))


def files_of(*steps):
    """Several steps as one."""
    def prepare(folder, scale):
        for step in steps:
            step(folder, scale)
    return prepare


def ask(path, words):
    """One command for redis-server; returns the answer."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall((words + "\r\n").encode())
        return sock.recv(100)


def wait_for(path, server):
    """Waits until the server answers."""
    for _ in range(500):
        if server.poll() is not None:
            break
        try:
            if ask(path, "PING").startswith(b"+PONG"):
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise RuntimeError("redis-server does not answer")


def redis(runner, alloc, folder, scale):
    """Server with the allocator, client without. Time is the client's wall
    time, memory and CPU time are the server's."""
    path = folder / "socket"
    path.unlink(missing_ok=True)
    # Debian's redis-server is a second name of redis-check-rdb
    if not (folder / "redis-server").exists():
        (folder / "redis-server").symlink_to(shutil.which("redis-check-rdb"))
    server = runner.start(alloc, [
        folder / "redis-server", "--port", "0", "--unixsocket", path,
        "--save", "", "--appendonly", "no", "--loglevel", "warning"],
        folder, {})
    try:
        wait_for(path, server)
        begun = time.monotonic()
        client = subprocess.run(
            ["redis-benchmark", "-s", path, "-q", "-c", "20", "-P", "8",
             "-n", str(data.times(REDIS_REQUESTS, scale)), "-r", "20000",
             "-d", "120", "-t", REDIS_COMMANDS], check=False,
            capture_output=True, stdin=subprocess.DEVNULL)
        wall = time.monotonic() - begun
    finally:
        try:
            ask(path, "SHUTDOWN NOSAVE")
        except OSError:
            pass
        result = runner.end(server)
    result["wall"] = wall
    result["status"] = result["status"] or client.returncode
    result["output"] = b""
    return result


GIT = """\
git -C repo log --stat -p | sha256sum
for i in 1 2 3 4 5 6; do git -C repo blame main -- dir$i/file$i; done |
	sha256sum
git -C repo -c pack.threads=1 repack -adfq --depth=20
git -C repo rev-list --objects --all | sha256sum
"""

# PYTHONMALLOC: objects come from malloc instead of Python's own pools
PYTHON_ENV = {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}


def real(name, command, prepare=None, env=None, run=None):
    """A real program."""
    return Work(name=name, group="real", command=command, prepare=prepare,
                env=env or {}, run=run)


PROGRAMS = [
    real("redis", ["redis-check-rdb", "redis-benchmark"], run=redis),
    real("sqlite3", ["sqlite3", ":memory:", ".read work.sql"],
         file_of("work.sql", data.sqlite)),
    real("python3", ["/usr/bin/python3", "work.py"],
         file_of("work.py", data.python), PYTHON_ENV),
    real("perl", ["perl", "work.pl"], file_of("work.pl", data.perl),
         {"PERL_HASH_SEED": "0"}),
    real("lua", ["lua5.4", "work.lua"], file_of("work.lua", data.lua)),
    real("gcc", ["gcc", "-O2", "-c", "work.c", "-o", "work.o"],
         file_of("work.c", data.c_source)),
    real("z3", ["z3", "work.smt2"], file_of("work.smt2", data.smt)),
    real("git", ["/bin/sh", "-eu", "work.sh"],
         files_of(file_of("work.sh", lambda _: GIT), git_repository)),
    real("jq", ["jq", "-n", "-f", "work.jq", "work.json"],
         files_of(file_of("work.jq", lambda _: data.JQ),
                  file_of("work.json", data.records))),
]


def missing(work):
    """The program that is not installed, or None."""
    words = work.command if work.run else \
        ["git"] if work.name == "git" else work.command[:1]
    return next((word for word in words if not shutil.which(word)), None)


def prepare(work, root, scale):
    """The folder of a program with its input, made once."""
    folder = pathlib.Path(root, f"{work.name}-{scale:g}")
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if work.prepare:
            work.prepare(folder, scale)
        (folder / "ready").touch()
    return folder
