"""States of a contact and what moves them (messages.md, KEZ-SEQ-034 to KEZ-SEQ-053)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relation = Literal["accepted", "requested", "blocked"]
NameEvent = Literal["names_pinned", "names_other", "names_nobody", "user_keeps"]
ChainEvent = Literal["extends", "falls_behind", "rotates", "forks", "user_keeps"]
Notice = Literal["changed", "healed", "offered"]
Refusal = Literal["not_offered", "not_accepted"]

REMINDER_SECONDS = 24 * 60 * 60

_NAME: dict[str, dict[NameEvent, str]] = {
    state: dict(zip(("names_pinned", "names_other", "names_nobody", "user_keeps"), row, strict=True))
    for state, row in {
        "named": ("named", "offered", "gone", "named"),
        "offered": ("named", "offered", "gone", "offered_kept"),
        "offered_kept": ("named", "offered_kept", "gone_kept", "offered_kept"),
        "gone": ("named", "offered", "gone", "gone_kept"),
        "gone_kept": ("named", "offered_kept", "gone_kept", "gone_kept"),
    }.items()
}
_CHAIN: dict[str, dict[ChainEvent, str]] = {
    state: dict(zip(("extends", "falls_behind", "rotates", "forks", "user_keeps"), row, strict=True))
    for state, row in {
        "whole": ("whole", "behind", "rotated", "forked", "whole"),
        "behind": ("whole", "behind", "rotated", "forked", "behind_kept"),
        "behind_kept": ("whole", "behind_kept", "rotated", "forked", "behind_kept"),
        "rotated": ("rotated", "rotated", "rotated", "forked", "rotated_kept"),
        "rotated_kept": ("rotated_kept", "rotated_kept", "rotated_kept", "forked", "rotated_kept"),
        "forked": ("forked", "forked", "forked", "forked", "forked_kept"),
        "forked_kept": ("forked_kept", "forked", "rotated", "forked", "forked_kept"),
    }.items()
}
NAME_STATES = frozenset(_NAME)
CHAIN_STATES = frozenset(_CHAIN)
_STOPPING = frozenset({"offered", "gone", "behind", "rotated", "forked"})
_ROTATED = ("rotated", "rotated_kept")


@dataclass(frozen=True)
class OfferedKey:
    primary: str
    origin: Literal["handed_over", "unexplained"]


@dataclass
class Contact:
    """A contact. `names` is the other key that its home names, `rotated_to` that of its chain's `rotate` event.

    Each method below is an event. It returns what the user is to be told, if anything; times are seconds since 1970.
    """

    pinned: str
    relation: Relation
    name: str = "named"
    chain: str = "whole"
    verified: bool = False
    names: str | None = None
    rotated_to: str | None = None
    noticed_at: int | None = None

    @property
    def offered(self) -> OfferedKey | None:
        """The key that is offered in the place of the pinned one."""
        rotated_to = self.rotated_to if self.chain in _ROTATED else None
        primary = self.names if self.name in ("offered", "offered_kept") else rotated_to
        if primary is None:
            return None
        return OfferedKey(primary, "handed_over" if primary == rotated_to else "unexplained")

    @property
    def stops(self) -> bool:
        """Whether one of the two states stops sending."""
        return self.name in _STOPPING or self.chain in _STOPPING

    @property
    def sends(self) -> bool:
        """Whether messages go out, to the pinned key."""
        return self.relation == "accepted" and not self.stops

    @property
    def is_kept(self) -> bool:
        """Whether the user keeps the pinned key, and nothing stops."""
        return not self.stops and (self.name != "named" or self.chain != "whole")

    @property
    def number(self) -> Literal["pinned", "offered"]:
        """Whose safety number is to be compared (KEZ-SEQ-042)."""
        return "offered" if self.stops and self.offered is not None else "pinned"

    @property
    def shown_verified(self) -> bool:
        return self.verified and self.sends

    def home_names(self, primary: str | None, at: int) -> Notice | None:
        """The home server names a key for the contact's handle, or nobody."""
        before = self._seen()
        if primary is None:
            event: NameEvent = "names_nobody"
        else:
            event = "names_pinned" if primary == self.pinned else "names_other"
        self.name = _NAME[self.name][event]
        self.names = primary if event == "names_other" else None
        is_due = self.noticed_at is None or at - self.noticed_at >= REMINDER_SECONDS
        if self.relation != "blocked" and self.name == "offered_kept" and not self.stops and is_due:
            return self._told("offered", at)
        return self._notice(before, at)

    def chain_seen(self, event: ChainEvent, at: int, rotated_to: str | None = None) -> Notice | None:
        """Something is seen of the contact's sigchain; `rotated_to` is the last key of the line."""
        before = self._seen()
        if event == "rotates":
            self.rotated_to = rotated_to
        self.chain = _CHAIN[self.chain][event]
        if self.chain in ("rotated", "forked"):
            self.verified = False
        return self._notice(before, at)

    def user_keeps(self, at: int) -> None:
        """The user keeps the pinned key (KEZ-SEQ-047). The first reminder of an offered key comes a day later."""
        if self.stops:
            self.noticed_at = at
        self.name = _NAME[self.name]["user_keeps"]
        self.chain = _CHAIN[self.chain]["user_keeps"]

    def user_accepts(self, primary: str) -> None:
        """The user accepts the offered key (KEZ-SEQ-041, KEZ-SEQ-043); raises `Refused`."""
        if self.offered is None or self.offered.primary != primary:
            raise Refused("not_offered")
        self.pinned = primary
        if self.relation == "requested":
            self.relation = "accepted"
        self.name, self.chain = "named", "whole"
        self.names = self.rotated_to = None
        self.verified = False

    def user_confirms(self, primary: str) -> None:
        """The user has compared the safety number of a key (KEZ-SEQ-044); raises `Refused`."""
        if primary != self.pinned or not self.sends:
            raise Refused("not_accepted")
        self.verified = True

    def _seen(self) -> tuple[str, str, OfferedKey | None]:
        return self.name, self.chain, self.offered

    def _notice(self, before: tuple[str, str, OfferedKey | None], at: int) -> Notice | None:
        if self.relation == "blocked":
            return None
        if self.stops:
            return self._told("changed", at) if before != self._seen() else None
        if self.name == "named" != before[0] or self.chain == "whole" != before[1]:
            return "healed"
        return None

    def _told(self, notice: Notice, at: int) -> Notice:
        self.noticed_at = at
        return notice


class Refused(Exception):
    """The user's word is refused: no such key is offered, or the contact is not accepted or has changed."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason
