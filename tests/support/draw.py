# SPDX-License-Identifier: BSD-3-Clause
"""Numbers drawn from a text: the same text, the same numbers, everywhere.

SHA-256 of a counter under a key that is made of the text and of a label: one
sequence for each purpose, none of which says anything about another. Python's
own generator is not used: its output may change between versions.
"""
import hashlib

WORD = 8  # bytes of a number


class Draw:
    """A sequence of numbers."""

    def __init__(self, text, label):
        """text: the seed; label: what the numbers are for."""
        data = f"{len(label)}:{label}:{text}".encode()
        self.key = hashlib.sha256(data).digest()
        self.block = 0
        self.words = []

    def word(self):
        """A number below 2^64."""
        if not self.words:
            block = hashlib.sha256(
                self.key + self.block.to_bytes(WORD, "little")).digest()
            self.block += 1
            self.words = [int.from_bytes(block[i:i + WORD], "little")
                          for i in range(0, len(block), WORD)]
        return self.words.pop(0)

    def below(self, end):
        """A number below end, each as likely: words of the last part of the
        range, which not all numbers share, are thrown away."""
        limit = (1 << 64) - (1 << 64) % end
        word = self.word()
        while word >= limit:
            word = self.word()
        return word % end

    def shuffled(self, items):
        """The items in an order drawn from all orders."""
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items
