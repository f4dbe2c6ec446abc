#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The load of redis.trace: one client on the loopback, a fixed seed.

Strings of many lengths, counters, lists as queues, hashes, sets and sorted
sets; keys are overwritten, deleted and expire, and in the end the database
is emptied and the server is told to stop.
"""
import random
import socket
import sys
import time

STEPS = 5000
KEYS = 600
SEED = 20261129


def command(*words):
    """A command in the protocol of redis."""
    words = [str(word).encode() for word in words]
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n" % len(words) + b"".join(parts)


def text(rnd):
    """A value: short ones often, some of several KiB."""
    length = int(min(rnd.lognormvariate(4, 1.3), 20000))
    return "v" * max(length, 1)


def string(rnd, key):
    """One command with a string."""
    return rnd.choice((
        lambda: command("SET", f"s:{key}", text(rnd)),
        lambda: command("SET", f"s:{key}", text(rnd), "PX",
                        rnd.randrange(20, 2000)),
        lambda: command("APPEND", f"a:{key % 50}", text(rnd)),
        lambda: command("GET", f"s:{key}"),
        lambda: command("INCR", f"n:{key}"),
        lambda: command("DEL", f"s:{key}", f"a:{key % 50}")))()


def collection(rnd, key):
    """One command with an object that has parts."""
    few = key % 40
    return rnd.choice((
        lambda: command("LPUSH", f"l:{few}", text(rnd)),
        lambda: command("RPOP", f"l:{few}"),
        lambda: command("HSET", f"h:{few}", f"f{key}", text(rnd)),
        lambda: command("HDEL", f"h:{few}", f"f{key}"),
        lambda: command("SADD", f"m:{few}", f"member{key}"),
        lambda: command("SREM", f"m:{few}", f"member{key}"),
        lambda: command("ZADD", f"z:{few}", key, f"member{key}"),
        lambda: command("ZREM", f"z:{few}", f"member{key}"),
        lambda: command("HGETALL", f"h:{few}"),
        lambda: command("ZRANGE", f"z:{few}", 0, -1),
        lambda: command("SUNION", f"m:{few}", f"m:{(few + 1) % 40}"),
        lambda: command("DEL", rnd.choice("lhmz") + f":{few}")))()


def connect(port):
    """A connection, as soon as the server listens."""
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"redis_load.py: nobody listens on port {port}")


def reply(stream):
    """Reads one reply."""
    line = stream.readline()
    if line[:1] == b"$" and int(line[1:]) >= 0:
        stream.read(int(line[1:]) + 2)
    if line[:1] == b"*":
        for _ in range(int(line[1:])):
            reply(stream)
    if line[:1] in (b"-", b""):
        sys.exit(f"redis_load.py: the server says {line.decode()!r}")


def main():
    """Sends the load to the port on the command line."""
    rnd = random.Random(SEED)
    with connect(int(sys.argv[1])) as sock, sock.makefile("rb") as stream:
        for _ in range(STEPS):
            make = rnd.choice((string, collection))
            sock.sendall(make(rnd, rnd.randrange(KEYS)))
            reply(stream)
        sock.sendall(command("FLUSHALL"))
        reply(stream)
        sock.sendall(command("SHUTDOWN", "NOSAVE"))


if __name__ == "__main__":
    main()
