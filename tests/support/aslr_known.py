# SPDX-License-Identifier: BSD-3-Clause
"""What other systems randomize, in bits, beside what was measured here.

The figures of others were read off their sources or documents, not measured:
log2 of the number of places that the code draws from.
"""
import dataclasses

HEADS = ("image", "heap", "stack", "mapping")


@dataclasses.dataclass(frozen=True)
class System:
    """Bits of one system; what is unknown is a dash."""

    name: str
    bits: tuple  # as HEADS
    note: str


OTHERS = (
    System("Unikraft 0.17", ("0", "0", "0", "0"),
           "fixed addresses; relocates itself, but always to the same base"),
    System("Unikraft, PR #1317 and #492", ("9.6 (build)", "34", "16", "0"),
           "not merged; the image once per build, the heap as one block, "
           "stacks within RAM (16 bits of 256 MiB)"),
    System("Nanos", ("19.0", "10", "10", "35"),
           "the kernel within 2 GiB; each mapping drawn on its own"),
    System("OSv", ("0", "0", "0", "0"),
           "asked for since 2015; a paper of 2026 moves program and stacks"),
    System("Hermit on uhyve", ("14.9", "14.9", "14.9", "14.9"),
           "one offset for everything, in 2 MiB steps: one pointer tells "
           "all"),
    System("Linux, kernel", ("9", "15", "5 to 10", "15"),
           "heap is the direct map, mapping is vmalloc, in 1 GiB steps; "
           "stack offset per system call"),
    System("Linux, program", ("28", "13", "22 + 4 to 9", "28"),
           "x86-64 defaults, 32 at most for image and mappings; brk heap; "
           "mappings next to each other below one base"),
)


def least(values):
    """The smallest number, with a decimal; a dash without any."""
    values = list(values)
    return f"{min(values):.1f}" if values else "-"


def ours(verdict):
    """The same figures of a verdict, the smallest of each kind."""
    kinds = {}
    for region in verdict.regions:
        kinds.setdefault(region.rule.kind, []).append(region)

    def bits(*names):
        return least(region.place.bits for name in names
                     for region in kinds.get(name, []))

    below = [region.below_bits for region in kinds.get("stack", [])
             if region.below]
    pair = verdict.worst()
    left = f"{pair.bits:.1f} of any other region" if pair else "-"
    stack = bits("stack") + (f" + {least(below)}" if below else "")
    return System("this guest, measured",
                  (bits("image", "library"), bits("heap", "metadata"), stack,
                   bits("mapping")),
                  "at each boot, each on its own; bits left by one pointer: "
                  + left)


def systems(verdict):
    """All rows."""
    return (*OTHERS, ours(verdict))
