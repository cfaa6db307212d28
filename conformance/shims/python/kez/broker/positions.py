"""Positions of a client in its two stream subjects (broker.md, KEZ-SEQ-001 to KEZ-SEQ-010)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Action = Literal["take", "drop", "fetch", "restart"]
Subject = Literal["inbox", "self"]


@dataclass
class Positions:
    """What a client holds of one server; `held` are the numbers of frames it took in this epoch."""

    epoch: str | None = None
    at: dict[Subject, int] = field(default_factory=lambda: {"inbox": 0, "self": 0})
    held: set[int] = field(default_factory=set)

    @property
    def fetch_after(self) -> int:
        return min(self.at.values())

    def see_page(self, epoch: str, after: int, seqs: list[int], last_seq: int) -> Action:
        """Take a page that answers a fetch after `after`, or find out that the stream begins anew."""
        if epoch != self.epoch:
            self._begin_anew()
            self.epoch = epoch
        elif after > last_seq:
            self._begin_anew()
            return "restart"
        self.held.update(seqs)
        newest = max(seqs, default=0)
        for subject, position in self.at.items():
            self.at[subject] = max(position, newest)
        return "take"

    def see_live(self, subject: Subject, seq: int, last_of_subject: int) -> Action:
        """A live frame, and the number of the frame before it on its subject."""
        if self.epoch is None:
            return "fetch"
        if seq <= self.at[subject]:
            return "drop" if seq in self.held else "fetch"
        if last_of_subject > self.at[subject]:
            return "fetch"
        self.held.add(seq)
        self.at[subject] = seq
        return "take"

    def _begin_anew(self) -> None:
        self.at = {"inbox": 0, "self": 0}
        self.held.clear()
