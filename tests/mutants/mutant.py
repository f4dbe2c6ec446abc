# SPDX-License-Identifier: BSD-3-Clause
"""What a planted mistake is."""
import dataclasses


@dataclasses.dataclass
class Change:
    """A text of a file that is replaced; it occurs once."""

    path: str
    old: str
    new: str


@dataclasses.dataclass
class Mutant:
    """A planted mistake."""

    name: str
    words: str    # name of a case, or the guest's command line
    changes: list

    def command_line(self):
        """Words for the guest."""
        return self.words if "=" in self.words else f"tests={self.words}"
