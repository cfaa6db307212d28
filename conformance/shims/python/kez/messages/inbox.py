"""What an account holds after it has taken in its frames (messages.md, KEZ-SEQ-013 to KEZ-SEQ-032)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..data.times import parse_time
from ..errors import KezError
from .message import Message, open_frame

MAX_AGE_SECONDS = 30 * 24 * 60 * 60
MAX_AHEAD_SECONDS = 10 * 60

State = Literal["stored", "delivered", "read"]

_STATES: tuple[State, ...] = ("stored", "delivered", "read")
_NEVER_SHOWN = frozenset({"receipt", "address_request", "address", "block_list", "device_position"})
_FOR_LATER = frozenset({"suite_unsupported", "algorithm_unsupported"})
_NOT_SHOWABLE = "This version cannot show this message."

_Count = tuple[str, str, str]
"""`from`, `to` and `device`, by which `seq` counts."""


@dataclass
class HeldMessage:
    """A message with its marks. `gap` is how many messages before it are not held; `state` is that of one's own."""

    message: Message
    state: State | None = None
    gap: int = 0
    equivocation: bool = False
    fork: bool = False
    suspicious: bool = False

    @property
    def is_own(self) -> bool:
        return self.message.role != "incoming"

    @property
    def text(self) -> str:
        """The text to show: that of the message, else its fallback."""
        body = self.message.body
        text = body["text"] if body["type"] == "text" else body.get("fallback", _NOT_SHOWABLE)
        return str(text)


@dataclass
class Inbox:
    """The messages of an account in stream order, the codes of frames it dropped, and frames for a later version."""

    seed: bytes
    messages: list[HeldMessage] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    _seen: dict[tuple[str, str], HeldMessage] = field(default_factory=dict)
    _counts: dict[_Count, set[int]] = field(default_factory=dict)

    def take(self, frame: bytes, stored_at: int) -> None:
        """Take a frame that the broker stored at `stored_at`, seconds since 1970."""
        try:
            message = open_frame(self.seed, frame)
        except KezError as error:
            if error.code in _FOR_LATER:
                self.kept.append(frame)
            else:
                self.dropped.append(error.code)
            return
        payload = message.payload
        first = self._seen.get((payload["from"], payload["id"]))
        if first is not None:
            first.equivocation |= first.message.hash != message.hash
            return
        held = HeldMessage(message)
        self._seen[payload["from"], payload["id"]] = held
        self._count(held)
        if message.body["type"] == "receipt" and not held.is_own:
            self._take_receipt(message)
        if message.body["type"] in _NEVER_SHOWN:
            return
        held.state = "stored" if held.is_own else None
        held.suspicious = not _is_plausible(payload, stored_at)
        self.messages.append(held)

    def _count(self, held: HeldMessage) -> None:
        """Find gaps and forks in the count of the author's device (KEZ-SEQ-024, KEZ-SEQ-025)."""
        payload = held.message.payload
        seqs = self._counts.setdefault((payload["from"], payload["to"], payload["device"]), set())
        held.fork = payload["seq"] in seqs
        if not held.is_own:
            held.gap = max(0, payload["seq"] - max(seqs, default=-1) - 1)
        seqs.add(payload["seq"])

    def _take_receipt(self, receipt: Message) -> None:
        """Raise the states of messages to the receipt's author; no state goes back (KEZ-SEQ-026, KEZ-SEQ-032)."""
        own, peer, status = receipt.payload["to"], receipt.payload["from"], receipt.body["status"]
        for message_id in receipt.body["ids"]:
            held = self._seen.get((own, message_id))
            if held is not None and held.state is not None and held.message.payload["to"] == peer:
                held.state = max(held.state, status, key=_STATES.index)


def _is_plausible(payload: dict[str, Any], stored_at: int) -> bool:
    """Whether a message was created at about the time at which it was stored (KEZ-SEQ-023)."""
    return stored_at - MAX_AGE_SECONDS <= parse_time(payload["created_at"]) <= stored_at + MAX_AHEAD_SECONDS
