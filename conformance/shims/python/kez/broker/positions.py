"""Positions of a client in its two stream subjects (broker.md, KEZ-SEQ-001 to KEZ-SEQ-010)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MAX_HELD = 1_024
"""Frames that a client remembers at least as long as live delivery could repeat them (KEZ-SEQ-039)."""

Action = Literal["take", "drop", "fetch", "restart"]
Subject = Literal["inbox", "self"]


@dataclass
class Positions:
    """What a client holds of one server.

    `held` are the frames that it took last in this epoch: a mark of each, such as its `enc`, by its number.
    """

    epoch: str | None = None
    at: dict[Subject, int] = field(default_factory=lambda: {"inbox": 0, "self": 0})
    held: dict[int, bytes] = field(default_factory=dict)

    @property
    def fetch_after(self) -> int:
        return min(self.at.values())

    def see_page(self, epoch: str, after: int, frames: dict[int, bytes], last_seq: int) -> Action:
        """Take a page that answers a fetch after `after`, or find out that the stream begins anew."""
        if epoch != self.epoch:
            self._begin_anew()
            self.epoch = epoch
        elif after > last_seq:
            self._begin_anew()
            return "restart"
        self._hold(frames)
        newest = max(frames, default=0)
        for subject, position in self.at.items():
            self.at[subject] = max(position, newest)
        return "take"

    def see_live(self, subject: Subject, seq: int, last_of_subject: int, mark: bytes = b"") -> Action:
        """A live frame, and the number of the frame before it on its subject."""
        if self.epoch is None:
            return "fetch"
        if seq <= self.at[subject]:
            return "drop" if self.held.get(seq) == mark else "fetch"
        if last_of_subject > self.at[subject]:
            return "fetch"
        self._hold({seq: mark})
        self.at[subject] = seq
        return "take"

    def _hold(self, frames: dict[int, bytes]) -> None:
        self.held |= frames
        for seq in sorted(self.held)[:-MAX_HELD]:
            del self.held[seq]

    def _begin_anew(self) -> None:
        self.at = {"inbox": 0, "self": 0}
        self.held.clear()
