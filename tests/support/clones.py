#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Resumes one snapshot of a guest twice and compares what the clones draw.

    clones.py [--qemu program] image

A guest waits for a key, is saved, and is resumed twice. From then on clones
with two VM generation ids must not agree: in no area, no mapping, no large
object, and in small objects, whose slots come from pools of a few hundred
that both know, only as often as chance has it. Two clones with the same id
must agree in all of them, or nothing would be shown.
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import qemu

SAVED = "11111111-2222-3333-4444-555555555555"
FRESH = ("324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87",
         "9d1f4c10-7a0e-4b64-8a52-0b8c27a0f3aa")
TIMEOUT_S = 60
KINDS = {"area", "large", "mapping"}
# Of the slots at the same place of two sequences. Chance gives one of the
# slots that a pool holds, a few hundred: a share of this has a probability
# below 2^-30
AGREE_MAX = 0.1


@dataclasses.dataclass
class Machine:
    """What a snapshot is taken of."""

    name: str
    cpu: str
    smp: int
    qemu: str


def machines(emulator):
    """What is tried: clones may part by RDRAND, or by the id alone."""
    return (Machine("with RDRAND, 2 CPUs", "max", 2, emulator),
            Machine("without RDRAND", "qemu64", 1, emulator))


class Guest:
    """A guest with its console and its monitor on unix sockets."""

    def __init__(self, image, machine, folder, guid, incoming=None):
        name = f"{guid[:8]}-{'in' if incoming else 'out'}"
        self.monitor_path = os.path.join(folder, name + ".qmp")
        self.console_path = os.path.join(folder, name + ".tty")
        for path in (self.monitor_path, self.console_path):
            pathlib.Path(path).unlink(missing_ok=True)
        command = qemu.Guest(image, smp=str(machine.smp), cpu=machine.cpu,
                             mem=128, genid=guid, qemu=machine.qemu,
                             append="clones").command()
        command[command.index("stdio")] = \
            f"unix:{self.console_path},server=on,wait=on"
        command += ["-qmp", f"unix:{self.monitor_path},server=on,wait=off"]
        if incoming:
            command += ["-incoming", f"exec:cat {incoming}"]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.clock = threading.Timer(TIMEOUT_S, self.process.kill)
        self.clock.start()
        self.console = self.connect(self.console_path)
        self.lines = self.console.makefile(encoding="ascii",
                                           errors="replace")
        self.monitor = self.connect(self.monitor_path)
        self.answers = self.monitor.makefile(encoding="ascii")
        self.answers.readline()
        self.ask("qmp_capabilities")

    def connect(self, path):
        """A connection to a socket that QEMU is about to make."""
        while self.process.poll() is None:
            with contextlib.suppress(FileNotFoundError,
                                     ConnectionRefusedError):
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(path)
                return sock
            time.sleep(0.02)
        raise RuntimeError(f"QEMU ended with {self.process.returncode}")

    def ask(self, command, **arguments):
        """Executes a command of the monitor; its result."""
        text = json.dumps({"execute": command, "arguments": arguments})
        self.monitor.sendall(text.encode())
        for line in self.answers:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{command}: no answer")

    def read_until(self, end):
        """Lines of the console up to one."""
        found = []
        for line in self.lines:
            found.append(line.rstrip())
            if found[-1] == end:
                return found
        raise RuntimeError("\n".join([f"no line {end!r} in:", *found[-20:]]))

    def save(self, path):
        """Writes a snapshot, after which the guest does not go on."""
        self.ask("migrate", uri=f"exec:cat > {path}")
        while True:
            status = self.ask("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                raise RuntimeError(f"the snapshot is {status}")
            time.sleep(0.05)

    def resumed(self):
        """Waits until the guest goes on."""
        while self.ask("query-status")["status"] != "running":
            time.sleep(0.02)

    def close(self):
        """Ends QEMU."""
        self.process.kill()
        self.process.wait()
        self.clock.cancel()
        for part in (self.lines, self.console, self.answers, self.monitor):
            part.close()


def addresses(lines):
    """Kind -> addresses in their order."""
    found = {}
    for line in lines:
        words = line.split()
        if len(words) == 3 and words[0] == "clone":
            found.setdefault(words[1], []).append(int(words[2], 16))
    return found


def clone(image, machine, folder, guid, snapshot):
    """What a clone draws after it was resumed."""
    with contextlib.closing(Guest(image, machine, folder, guid,
                                  snapshot)) as guest:
        guest.resumed()
        guest.console.sendall(b"x")
        return addresses(guest.read_until("clones: done"))


def agreement(first, second):
    """Share of the places at which two sequences agree."""
    return sum(a == b for a, b in zip(first, second)) / len(first)


def same(first, second):
    """What two clones with one id do not share; None: nothing."""
    wrong = [f"{kind} {agreement(first[kind], second[kind]):.2f}"
             for kind in first if first[kind] != second[kind]]
    return "they differ without a reason: " + ", ".join(wrong) \
        if wrong else None


def different(first, second):
    """What two clones with two ids share; None: nothing."""
    wrong = []
    for kind, drawn in first.items():
        if kind in KINDS:
            common = set(drawn) & set(second[kind])
            if common:
                wrong.append(f"{len(common)} of kind {kind}")
        elif agreement(drawn, second[kind]) > AGREE_MAX:
            share = agreement(drawn, second[kind])
            wrong.append(f"{share:.0%} of {kind}")
    return "they agree in " + ", ".join(wrong) if wrong else None


def complete(drawn, machine):
    """Tells whether a clone has drawn all kinds of addresses."""
    small = {f"small{cpu}" for cpu in range(machine.smp)}
    return set(drawn) == KINDS | small and \
        all(len(found) >= 20 and 0 not in found for found in drawn.values())


def checks(image, machine, folder):
    """Name and problem of each comparison."""
    snapshot = os.path.join(folder, "snapshot")
    with contextlib.closing(Guest(image, machine, folder, SAVED)) as guest:
        guest.read_until("clones: ready")
        guest.save(snapshot)
    drawn = [clone(image, machine, folder, guid, snapshot)
             for guid in (SAVED, SAVED, *FRESH)]
    if not all(complete(found, machine) for found in drawn):
        yield "clones draw addresses", "some are missing"
        return
    yield "clones with one id agree", same(drawn[0], drawn[1])
    yield "a clone with a new id differs", different(drawn[0], drawn[2])
    yield "clones with two new ids differ", different(drawn[2], drawn[3])


def main():
    """Compares and tells."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("image")
    args = parser.parse_args()
    counts = [0, 0]
    for machine in machines(args.qemu):
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = list(checks(args.image, machine, folder))
            except RuntimeError as err:
                found = [("clones", str(err))]
        for name, why in found:
            print(f"not ok {name}, {machine.name}: {why}" if why else
                  f"ok {name}, {machine.name}", flush=True)
            counts[bool(why)] += 1
    print(f"{counts[0]} passed, {counts[1]} failed, 0 skipped")
    sys.exit(bool(counts[1]))


if __name__ == "__main__":
    main()
