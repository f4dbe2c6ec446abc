#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots a guest image in QEMU and hands its console and its exit status on.

    qemu.py [options] image [-- words of the kernel's command line]

Exit status: what the guest said through isa-debug-exit, 124 if it did not
end in time, 125 if QEMU ended without a word of the guest (triple fault, bad
image).
"""
import argparse
import dataclasses
import shutil
import subprocess
import sys
import threading
import time

TIMEOUT = 124
DIED = 125
DEBUG_EXIT = "isa-debug-exit,iobase=0xf4,iosize=0x4"


@dataclasses.dataclass
class Guest:
    """How to boot an image."""

    image: str
    smp: str = "1"
    machine: str = "q35"
    exact: bool = False  # count instructions, one host thread
    mem: int = 1024      # MiB
    cpu: str = "max"
    fwcfg: str = ""      # contents of the file opt/ukallocrnd/seed
    genid: str = ""      # VM generation id
    append: str = ""
    initrd: str = ""     # modules, separated by commas
    cdrom: bool = False  # the image is a CD with a boot loader
    firmware: str = ""   # instead of SeaBIOS
    plugin: str = ""     # file, with its options after commas
    timeout: int = 60
    qemu: str = "qemu-system-x86_64"

    def model(self):
        """The processor. QEMU 10 has x2APIC, but stops with "Bad icount
        read" if its timer is written while instructions are counted."""
        return f"{self.cpu},-x2apic" if self.exact and self.cpu == "max" \
            else self.cpu

    def command(self):
        """QEMU's command line."""
        mode = ["-accel", "tcg,thread=single", "-icount",
                "shift=0,sleep=off"] \
            if self.exact else ["-accel", "tcg,thread=multi"]
        more = ["-cdrom", self.image] if self.cdrom else \
            ["-kernel", self.image, "-append", self.append]
        if self.initrd:
            more += ["-initrd", self.initrd]
        if self.firmware:
            more += ["-bios", self.firmware]
        if self.plugin:
            more += ["-plugin", self.plugin]
        if self.fwcfg:
            more += ["-fw_cfg",
                     f"name=opt/ukallocrnd/seed,string={self.fwcfg}"]
        if self.genid:
            more += ["-device", f"vmgenid,guid={self.genid}"]
        return [self.qemu, "-M", self.machine, *mode, "-cpu", self.model(),
                "-smp", str(self.smp), "-m", str(self.mem),
                "-nodefaults", "-display", "none", "-no-reboot",
                "-serial", "stdio", "-device", DEBUG_EXIT, *more]


@dataclasses.dataclass
class Outcome:
    """How a boot ended."""

    status: int
    lines: list
    seconds: float


def guest_status(code, lines):
    """isa-debug-exit makes QEMU end with 2 * value + 1. QEMU's own errors
    end it with 1, too, but then no guest has said anything."""
    said = [line for line in lines if not line.startswith("qemu")]
    return code >> 1 if code > 0 and code & 1 and said else DIED


def boot(guest, on_line=None):
    """Runs a guest to its end; on_line sees each line of the console."""
    start = time.monotonic()
    late = threading.Event()
    with subprocess.Popen(guest.command(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as qemu:

        def stop():
            late.set()
            qemu.kill()

        clock = threading.Timer(guest.timeout, stop)
        clock.start()
        lines = []
        for raw in qemu.stdout:
            lines.append(raw.decode(errors="replace").rstrip("\r\n"))
            if on_line:
                on_line(lines[-1])
        code = qemu.wait()
        clock.cancel()
    status = TIMEOUT if late.is_set() else guest_status(code, lines)
    return Outcome(status, lines, time.monotonic() - start)


def reason(status):
    """A status in words."""
    words = {0: "success", TIMEOUT: "no end in time",
             DIED: "QEMU ended without a word of the guest"}
    return words.get(status, f"exit code {status} of the guest")


def version(qemu):
    """QEMU's version in one line."""
    if not shutil.which(qemu):
        return "none"
    run = subprocess.run([qemu, "--version"], text=True, check=False,
                         capture_output=True)
    return run.stdout.splitlines()[0] if run.stdout else "none"


def main():
    """Boots one image with its console on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in dataclasses.fields(Guest):
        if field.name == "image":
            parser.add_argument("image")
        elif field.type is bool:
            parser.add_argument("--" + field.name, action="store_true")
        elif field.name != "append":
            parser.add_argument("--" + field.name, type=field.type,
                                default=field.default)
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:cut])
    guest = Guest(append=" ".join(sys.argv[cut + 1:]), **vars(args))
    outcome = boot(guest, lambda line: print(line, flush=True))
    if outcome.status in (TIMEOUT, DIED):
        print(f"qemu.py: {reason(outcome.status)}", file=sys.stderr)
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
