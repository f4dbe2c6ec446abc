#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of encode.py. tiny.trace is what it made of raw_tiny(), with
python3-lz4; tests/unit/test_tracefile.c reads the same file."""
import pathlib
import struct
import unittest

import encode

HERE = pathlib.Path(__file__).parent
MALLOC, CALLOC, REALLOC, FREE, ALIGNED = range(5)


def raw(*records):
    """Records as the recorder writes them."""
    return b"".join(encode.RAW.pack(*record) for record in records)


def raw_tiny():
    """Each operation; many events that repeat; ages and sizes of all
    lengths."""
    yield from ((MALLOC, 1, 0x1000, 0), (CALLOC, 31, 0x2000, 0),
                (ALIGNED, 32, 0x3000, 0), (REALLOC, 5000, 0x4000, 0x1000),
                (FREE, 0, 0, 0x2000), (MALLOC, 0, 0x2000, 0),
                (REALLOC, 700000, 0x4000, 0x4000),
                (FREE, 0, 0, 0xdead), (REALLOC, 9, 0x5000, 0xbeef))
    for _ in range(40):
        yield from ((MALLOC, 24, 0x6000, 0), (FREE, 0, 0, 0x6000))
    yield from ((FREE, 0, 0, 0x4000), (FREE, 0, 0, 0x3000))


def length(src, at, half):
    """A length of LZ4 that begins in half of a token: value, position."""
    if half == 15:
        while True:
            at += 1
            half += src[at - 1]
            if src[at - 1] != 255:
                break
    return half, at


def unpack(src):
    """The contents of a block of LZ4."""
    out, at = bytearray(), 0
    while True:
        token = src[at]
        count, at = length(src, at + 1, token >> 4)
        out += src[at:at + count]
        at += count
        if at == len(src):
            return bytes(out)
        offset = src[at] | src[at + 1] << 8
        count, at = length(src, at + 2, token & 15)
        for _ in range(count + 4):
            out.append(out[-offset])


class Encode(unittest.TestCase):
    """From a recording to a trace."""

    def check(self, message, *records):
        """A recording that does not fit together."""
        with self.assertRaisesRegex(ValueError, message):
            encode.events_of(raw(*records), 0)

    def test_tiny(self):
        """The committed trace has the events of the recording."""
        trace = (HERE / "tiny.trace").read_bytes()
        events, objects = encode.events_of(raw(*raw_tiny()), 0)
        stream, born = encode.stream_of(events)
        self.assertEqual(struct.unpack("<4sII", trace[:12]),
                         (b"UKT1", len(events), born))
        self.assertEqual(unpack(trace[12:]), stream)
        self.assertEqual((objects.foreign, objects.zero, objects.aligned),
                         (2, 1, 1))

    def test_stream(self):
        """Numbers are as tracefile.h says."""
        events, _ = encode.events_of(
            raw((MALLOC, 31, 1, 0), (CALLOC, 32, 2, 0),
                (REALLOC, 128, 3, 1), (FREE, 0, 0, 3)), 0)
        self.assertEqual(encode.stream_of(events),
                         (bytes([124, 131, 1, 6, 128, 1, 5]), 2))

    def test_order(self):
        """Events that contradict each other are refused."""
        self.check("event 1 is born where", (MALLOC, 1, 8, 0),
                   (CALLOC, 1, 8, 0))
        self.check("event 2 moves to where", (MALLOC, 1, 8, 0),
                   (MALLOC, 1, 16, 0), (REALLOC, 1, 16, 8))
        self.check("event 0 is of unknown kind 5", (5, 1, 8, 0))
        self.check("event 0 has 1073741824 bytes", (MALLOC, 1 << 30, 8, 0))

    def test_cut_off(self):
        """So is a file that ends within an event."""
        with self.assertRaisesRegex(ValueError, "ends within event 1"):
            encode.events_of(raw((MALLOC, 1, 8, 0)) + b"x", 0)

    def test_limit(self):
        """The first events alone."""
        events, _ = encode.events_of(raw(*raw_tiny()), 5)
        self.assertEqual([event.op for event in events],
                         [encode.MALLOC, encode.CALLOC, encode.MALLOC,
                          encode.REALLOC, encode.FREE])

    def test_peaks(self):
        """The most that lives at a time, and what is left."""
        events, _ = encode.events_of(
            raw((MALLOC, 10, 1, 0), (MALLOC, 20, 2, 0), (REALLOC, 5, 3, 1),
                (FREE, 0, 0, 2), (MALLOC, 7, 2, 0)), 0)
        self.assertEqual(encode.peaks(events), (2, 30, 2))

    def test_traces(self):
        """The committed traces are consistent from end to end."""
        for name in ("redis", "sqlite"):
            trace = (HERE / f"{name}.trace").read_bytes()
            _, events, born = struct.unpack("<4sII", trace[:12])
            self.assertEqual(events_in(self, unpack(trace[12:])),
                             (events, born), name)


def numbers(stream):
    """The numbers of a stream."""
    value = shift = 0
    for byte in stream:
        value |= (byte & 127) << shift
        shift = shift + 7 if byte > 127 else 0
        if not shift:
            yield value
            value = 0


def events_in(test, stream):
    """How many events and births a stream has, each of a live object."""
    count, alive = 0, []
    values = numbers(stream)
    for value in values:
        count += 1
        if value % 4 in (encode.MALLOC, encode.CALLOC):
            alive.append(True)
            continue
        obj = len(alive) - 1 - value // 4
        test.assertTrue(obj >= 0 and alive[obj], f"event {count - 1}")
        if value % 4 == encode.FREE:
            alive[obj] = False
        else:
            next(values)
    return count, len(alive)


if __name__ == "__main__":
    unittest.main()
