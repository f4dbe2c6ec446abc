#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots guests by GRUB, from CDs made here, on a BIOS and on UEFI.

    grub.py --out folder [--bios] folder-of-images [part of a name]

By multiboot 2: an image with its payload, and a loader with the payload as a
module; by multiboot 1: an image with its payload. Each must pass a test on
two CPUs; a loader with a damaged module must say so. GRUB and the firmware
write to the same console as the guest. Exit status 77: a tool is missing.
"""
import argparse
import dataclasses
import pathlib
import shutil
import subprocess
import sys

import qemu

PACKAGES = "grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools ovmf"
UEFI = "/usr/share/ovmf/OVMF.fd"
NEEDED = ("/usr/lib/grub/i386-pc", "/usr/lib/grub/x86_64-efi", UEFI)
TOOLS = ("grub-mkrescue", "xorriso", "mformat")
SKIPPED = 77
CRASH = 99
TIMEOUT_S = 60
TRIES = 3
UNREAD = "error: failure reading sector"  # GRUB says so
SHOWN = 12
WORDS = "tests=functions*"
PASSED = "1 passed, 0 failed, 0 skipped"
# The console is the serial port
MENU = """serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
set timeout=0
"""


@dataclasses.dataclass
class Case:
    """One CD, booted on some machines."""

    name: str
    files: list     # below the folder of images
    commands: list  # of GRUB
    status: int
    expect: str     # a line of the console
    places: tuple = (("q35", ""), ("q35", UEFI))  # machine, firmware


CASES = (
    Case("multiboot 2", ["test.elf"],
         [f"multiboot2 /boot/test.elf {WORDS}"], 0, PASSED,
         (("q35", ""), ("pc", ""), ("q35", UEFI))),
    Case("multiboot 2, module", ["loader.elf", "test.app"],
         [f"multiboot2 /boot/loader.elf {WORDS}",
          "module2 /boot/test.app words of nobody"], 0, PASSED),
    Case("multiboot 2, second module", ["loader.elf", "test.app"],
         [f"multiboot2 /boot/loader.elf {WORDS}",
          "module2 /boot/loader.elf", "module2 /boot/test.app"], 0, PASSED,
         (("q35", ""),)),
    Case("multiboot 2, damaged module", ["loader.elf", "damaged.app"],
         ["multiboot2 /boot/loader.elf", "module2 /boot/damaged.app"], CRASH,
         "CRIT: loader: bad image: unknown version (0x2)", (("q35", ""),)),
    Case("multiboot 1", ["test.mb1.elf"],
         [f"multiboot /boot/test.mb1.elf image {WORDS}"], 0, PASSED,
         (("pc", ""),)),
)


def missing():
    """Tools and files that are not there."""
    return [tool for tool in TOOLS if not shutil.which(tool)] + \
        [path for path in NEEDED if not pathlib.Path(path).exists()]


def make_cd(case, images, folder):
    """Writes a CD; its path."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "root/boot/grub").mkdir(parents=True)
    for name in case.files:
        target = folder / "root/boot" / name
        if name == "damaged.app":
            data = bytearray((images / "test.app").read_bytes())
            data[8] += 1
            target.write_bytes(data)
        else:
            shutil.copy2(images / name, target)
    menu = MENU + "\n".join([*case.commands, "boot", ""])
    (folder / "root/boot/grub/grub.cfg").write_text(menu)
    cd = folder / "cd.iso"
    made = subprocess.run(["grub-mkrescue", "-o", cd, folder / "root"],
                          check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if made.returncode or not cd.exists():
        raise RuntimeError(f"grub-mkrescue:\n{made.stdout[-2000:]}")
    return cd


def start(cd, machine, firmware):
    """Boots. GRUB waits for the drive by the clock, and a busy host may keep
    the emulator from answering: then nothing of ours was read, and it is done
    again."""
    for _ in range(TRIES):
        outcome = qemu.boot(qemu.Guest(str(cd), smp="2", mem=256, cdrom=True,
                                       machine=machine, firmware=firmware,
                                       timeout=TIMEOUT_S))
        if not any(UNREAD in line for line in outcome.lines):
            break
    return outcome


def boot(case, cd, machine, firmware):
    """Boots a case; whether it went as expected."""
    title = f"{case.name}, {'UEFI' if firmware else 'BIOS'} on {machine}"
    outcome = start(cd, machine, firmware)
    # The first line of the guest follows what GRUB wrote without an end
    said = any(line.endswith(case.expect) for line in outcome.lines)
    if outcome.status == case.status and said:
        print(f"ok {title} ({outcome.seconds:.1f} s)", flush=True)
        return True
    print(f"not ok {title}: {qemu.reason(outcome.status)}",
          *("    " + line for line in outcome.lines[-SHOWN:]),
          sep="\n", flush=True)
    return False


def main():
    """Boots all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--bios", action="store_true", help="no UEFI")
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("filter", nargs="?", default="")
    args = parser.parse_args()
    if absent := missing():
        print(f"skipped, there is no {', '.join(absent)}; as root:\n"
              f"    apt-get install -y --no-install-recommends {PACKAGES}")
        return SKIPPED
    results = []
    for i, case in enumerate(CASES):
        if args.filter not in case.name:
            continue
        cd = make_cd(case, args.images, args.out / f"grub{i}")
        results += [boot(case, cd, machine, firmware)
                    for machine, firmware in case.places
                    if not (args.bios and firmware)]
        cd.unlink()
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, "
          "0 skipped")
    return int(not results or not all(results))


if __name__ == "__main__":
    sys.exit(main())
