#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a trace of the events that librecord.so wrote, and describes it.

    encode.py events.raw out.trace [--events N]

The events must fit together: no object is born at the address of a live one
and none dies twice. Objects from before the recording are left out, a size
of 0 becomes 1, and an aligned allocation a plain one. README.md describes
the format of traces. Needs Debian's python3-lz4.
"""
import argparse
import collections
import pathlib
import struct
import sys

MALLOC, FREE, REALLOC, CALLOC = range(4)
RAW = struct.Struct("<4Q")
# The recorder's numbers
RAW_REALLOC, RAW_FREE, RAW_ALIGNED = 2, 3, 4
BORN = {0: MALLOC, 1: CALLOC, RAW_ALIGNED: MALLOC}
SIZE_MAX = (1 << 30) - 1

Event = collections.namedtuple("Event", "op obj size")


class Objects:
    """Numbers of live objects by address; what was changed or left out."""

    def __init__(self):
        self.live = {}
        self.count = 0
        self.foreign = 0
        self.zero = 0
        self.aligned = 0

    def birth(self, ptr):
        """The number of a new object."""
        if ptr in self.live:
            raise ValueError("is born where another object is alive")
        self.live[ptr] = self.count
        self.count += 1
        return self.count - 1

    def death(self, ptr):
        """The number of an object that goes; None if it was never seen."""
        obj = self.live.pop(ptr, None)
        self.foreign += obj is None
        return obj


def one_event(objects, raw_op, size, ptr, old):
    """The event of a raw record, or None."""
    objects.zero += raw_op != RAW_FREE and size == 0
    objects.aligned += raw_op == RAW_ALIGNED
    size = max(size, 1)
    if size > SIZE_MAX:
        raise ValueError(f"has {size} bytes")
    if raw_op in BORN:
        return Event(BORN[raw_op], objects.birth(ptr), size)
    if raw_op not in (RAW_REALLOC, RAW_FREE):
        raise ValueError(f"is of unknown kind {raw_op}")
    obj = objects.death(old)
    if raw_op == RAW_FREE:
        return None if obj is None else Event(FREE, obj, 0)
    if obj is None:
        return Event(MALLOC, objects.birth(ptr), size)
    if ptr in objects.live:
        raise ValueError("moves to where another object is alive")
    objects.live[ptr] = obj
    return Event(REALLOC, obj, size)


def events_of(data, limit):
    """The first events of a recording, with the objects at its end."""
    objects, events = Objects(), []
    if len(data) % RAW.size:
        raise ValueError(f"ends within event {len(data) // RAW.size}")
    for number, raw in enumerate(RAW.iter_unpack(data)):
        if limit and len(events) == limit:
            break
        try:
            event = one_event(objects, *raw)
        except ValueError as error:
            raise ValueError(f"event {number} {error}") from None
        if event:
            events.append(event)
    return events, objects


def varint(number):
    """Seven bits a byte, the lowest first, all but the last with bit 7."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def stream_of(events):
    """The events as bytes, before compression."""
    out, born = bytearray(), 0
    for op, obj, size in events:
        if op in (MALLOC, CALLOC):
            out += varint(size << 2 | op)
            born += 1
            continue
        out += varint(born - 1 - obj << 2 | op)
        if op == REALLOC:
            out += varint(size)
    return bytes(out), born


def trace_of(events):
    """The bytes of a trace."""
    import lz4.block  # pylint: disable=import-outside-toplevel

    stream, born = stream_of(events)
    return struct.pack("<4sII", b"UKT1", len(events), born) + \
        lz4.block.compress(stream, mode="high_compression", compression=12,
                           store_size=False)


def peaks(events):
    """The most objects, and the most bytes, that live at a time."""
    sizes, total, most, most_bytes = {}, 0, 0, 0
    for op, obj, size in events:
        total += size - sizes.pop(obj, 0)
        if op != FREE:
            sizes[obj] = size
        most = max(most, len(sizes))
        most_bytes = max(most_bytes, total)
    return most, most_bytes, len(sizes)


def describe(events, objects, length):
    """The lines of README.md about a trace."""
    count = collections.Counter(event.op for event in events)
    most, most_bytes, left = peaks(events)
    yield f"| events | {len(events):,} |"
    for name, op in (("malloc", MALLOC), ("calloc", CALLOC),
                     ("realloc", REALLOC), ("free", FREE)):
        yield f"| {name} | {count[op]:,} |"
    yield f"| of them aligned | {objects.aligned:,} |"
    yield f"| of size 0 | {objects.zero:,} |"
    yield f"| of foreign objects, left out | {objects.foreign:,} |"
    yield f"| objects live at most | {most:,} |"
    yield f"| bytes live at most | {most_bytes:,} |"
    yield f"| objects live at the end | {left:,} |"
    yield f"| bytes of the file | {length:,} |"
    sizes = collections.Counter(max((event.size - 1).bit_length(), 4)
                                for event in events if event.op != FREE)
    for bits in sorted(sizes):
        yield f"| sizes up to {1 << bits:,} | {sizes[bits]:,} |"


def main():
    """Reads a recording, writes a trace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=pathlib.Path)
    parser.add_argument("trace", type=pathlib.Path)
    parser.add_argument("--events", type=int, default=0)
    args = parser.parse_args()
    try:
        events, objects = events_of(args.raw.read_bytes(), args.events)
    except ValueError as error:
        sys.exit(f"encode.py: {args.raw}: {error}")
    except OSError as error:
        sys.exit(f"encode.py: {args.raw}: {error.strerror}")
    trace = trace_of(events)
    args.trace.write_bytes(trace)
    print("\n".join(describe(events, objects, len(trace))))


if __name__ == "__main__":
    main()
