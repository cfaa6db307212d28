"""What a client keeps of somebody's sigchain, and what a chain that is shown says about it (KEZ-SIG-121 to -125)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...messages.contact import ChainEvent
from ...statements.sigchain import Chain, Head


@dataclass(frozen=True)
class ShownChain:
    """A chain that a sig-server showed and that verified."""

    hashes: list[str]
    successor: str | None = None
    has_inbox: bool = False

    @classmethod
    def of(cls, chain: Chain, hashes: list[str]) -> ShownChain:
        has_inbox = any(endpoint["protocol"] == "nats" for endpoint in chain.endpoints)
        return cls(hashes, chain.successor, has_inbox)


@dataclass
class KnownChain:
    """The highest chain that was verified, a higher head that messages named, and the chain shown last."""

    hashes: list[str] = field(default_factory=list)
    named: Head | None = None
    shown: ShownChain | None = None

    @property
    def head(self) -> Head | None:
        """The highest head that was verified."""
        return Head(len(self.hashes) - 1, self.hashes[-1]) if self.hashes else None

    def see(self, shown: ShownChain, *, is_kept: bool) -> ChainEvent:
        """A chain is shown. `is_kept` where the user keeps the key of a forked one: its own end is then no news."""
        hashes, named = shown.hashes, self.named
        self.shown = shown
        if len(hashes) < len(self.hashes):
            return "falls_behind"
        if self.hashes and hashes[len(self.hashes) - 1] != self.hashes[-1]:
            return "forks"
        if named is not None and named.seq < len(hashes) and hashes[named.seq] != named.hash:
            return "forks"
        is_news = hashes != self.hashes or not is_kept
        self.hashes = hashes
        if named is not None and named.seq >= len(hashes):
            return "falls_behind"
        self.named = None
        return "rotates" if shown.successor is not None and is_news else "extends"

    def hear(self, head: Head) -> tuple[ChainEvent | None, bool]:
        """A message names a head: the event that this is, and whether the chain should be looked at again."""
        if head.seq < len(self.hashes):
            return (None, False) if self.hashes[head.seq] == head.hash else ("forks", False)
        if self.named is None or head.seq > self.named.seq:
            self.named = head
            return None, True
        return ("forks" if head.seq == self.named.seq and head.hash != self.named.hash else None), False

    def take_shown(self) -> None:
        """Take the chain shown last as the known one (the user keeps the key of a forked contact)."""
        if self.shown is not None:
            self.hashes, self.named = self.shown.hashes, None
