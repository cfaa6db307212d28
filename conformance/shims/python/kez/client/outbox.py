"""Writing messages and sending their frames (messages.md, Sending and States; broker.md, Send)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..data import strict_json
from ..data.strict_json import canonical
from ..data.text import b64u_encode
from ..data.times import now_seconds, now_time, parse_time
from ..errors import KezError
from ..identity.primary import parse_account
from ..messages.message import Header, Message, Role, encrypt, frame_of, seal
from ..statements.envelope import read_envelope
from .account import Account
from .intake import hold, take_early_receipts
from .store import Store
from .trust.contacts import Contacts, Person

MAX_ANSWER_BYTES = 256
MAX_UNANSWERED = 64
_LATER = frozenset({"full", "slow", "retry"})
_NEVER = frozenset({"unknown", "bad", "size"})
_TO_SEND = ("NOT is_copy", "is_copy AND message NOT IN (SELECT message FROM outbox WHERE NOT is_copy)")
"""Conditions of the outbox: frames for addressees, then copies, which are of use once the addressee's is stored."""
_NO_COPY = frozenset({"receipt", "address_request", "address"})
_NOT_PREVIOUS = (*sorted(_NO_COPY), "block_list", "device_position")


@dataclass(frozen=True)
class SendAnswer:
    """`ok` or the code of a refusal, and from when on another try can succeed, seconds since 1970."""

    code: str
    at: int = 0


Send = Callable[[str, str, bytes], Awaitable[SendAnswer | None]]
"""Sends a frame to the inbox of an account (hexadecimal) under a Kez-Id; None where there was no answer."""


class Outbox:
    def __init__(self, store: Store, account: Account) -> None:
        self._store = store
        self._account = account
        self._contacts = Contacts(store)
        self._refused: set[int] = set()

    def write(self, peer: str, body: dict[str, Any], *, shown: bool = True) -> str:
        """Encrypt a message, seal its frames and put all of it into the store; returns the message's id."""
        own, seed = self._account.primary, self._account.seed
        head = self._account.head
        text = canonical({**body, "chain": {"seq": head.seq, "hash": head.hash}})
        with self._store.transaction():
            header = Header(
                to=parse_account(peer),
                id=_new_id(),
                device=self._account.device,
                seq=self._next_seq(peer),
                created_at=now_time(),
                salt=secrets.token_bytes(32),
                prev=self._newest(peer),
            )
            envelope = read_envelope(encrypt(seed, header, text).envelope)
            role: Role = "note" if peer == own else "sent"
            message = Message(role, peer, envelope.payload, envelope.hash, strict_json.parse(text, len(text)))
            row = hold(self._store, message, shown=shown)
            self._enqueue(row, peer, canonical(envelope.value), is_copy=False)
            if peer != own and body["type"] not in _NO_COPY:
                self._enqueue(row, own, canonical(envelope.value), is_copy=True)
        return header.id

    async def send(self, send: Send) -> None:
        """Send what may be sent now, to each inbox in the order in which it was written.

        What is refused is not tried again before `try_refused`.
        """
        limit = asyncio.Semaphore(MAX_UNANSWERED)
        for which in _TO_SEND:
            await self._send_all(which, send, limit)

    def try_refused(self) -> None:
        self._refused.clear()

    async def _send_all(self, which: str, send: Send, limit: asyncio.Semaphore) -> None:
        targets = self._store.rows(f"SELECT DISTINCT target FROM outbox WHERE {which}")
        await asyncio.gather(*(self._send_to(row["target"], which, send, limit) for row in targets))

    async def _send_to(self, target: str, which: str, send: Send, limit: asyncio.Semaphore) -> None:
        """Send to one inbox until a frame has to wait: those behind it then wait as well."""
        for waiting in self._store.rows(f"SELECT row FROM outbox WHERE target = ? AND {which} ORDER BY row", target):
            frame = self._store.row("SELECT * FROM outbox WHERE row = ?", waiting["row"])
            if frame is None:
                continue
            if not self._is_due(frame):
                return
            async with limit:
                answer = await send(target, frame["kez_id"], frame["frame"])
            with self._store.transaction():
                if answer is None or not self._answered(frame, answer):
                    return

    def _is_due(self, frame: Any) -> bool:
        is_due = frame["row"] not in self._refused and frame["not_before"] <= now_seconds()
        return is_due and self._may_send(frame["target"])

    def _may_send(self, target: str) -> bool:
        """Whether frames go to this inbox now (KEZ-DM-017)."""
        if target == self._account.key:
            return True
        person = self._contacts.of_key("ed25519:" + target)
        return person is not None and person.trust.sends

    def _answered(self, frame: Any, answer: SendAnswer) -> bool:
        """Take an answer in; False where the frame stays."""
        message, code = frame["message"], answer.code
        person = self._contacts.of_key("ed25519:" + frame["target"])
        waits = code in _LATER or (code == "unknown" and person is not None and person.trust.is_kept)
        if waits:
            self._refused.add(frame["row"])
            self._store.run("UPDATE outbox SET not_before = ? WHERE row = ?", answer.at, frame["row"])
            self._store.run("UPDATE messages SET reason = ? WHERE row = ? AND state = 'queued'", code, message)
            return False
        if code == "ok" or frame["is_copy"]:
            self._store.run("DELETE FROM outbox WHERE row = ?", frame["row"])
            if not frame["is_copy"]:
                self._stored(message)
            return True
        self.fail(message, code)
        if code == "unknown" and person is not None:
            person.look = True
            self._contacts.save(person)
        return True

    def _stored(self, message: int) -> None:
        self._store.run("UPDATE messages SET state = 'stored', reason = NULL WHERE row = ?", message)
        row = self._store.row("SELECT peer, id FROM messages WHERE row = ?", message)
        assert row is not None
        take_early_receipts(self._store, row["peer"], row["id"])

    def fail(self, message: int, reason: str) -> None:
        """A message is not sent any more; both its frames are dropped."""
        self._store.run("DELETE FROM outbox WHERE message = ?", message)
        self._store.run(
            "UPDATE messages SET state = 'failed', reason = ? WHERE row = ? AND state = 'queued'", reason, message
        )

    def fail_all_to(self, primary: str, reason: str) -> None:
        """Nothing that is queued goes out for a key that was pinned before (KEZ-DM-025)."""
        target = primary.removeprefix("ed25519:")
        for row in self._store.rows("SELECT message FROM outbox WHERE target = ? AND NOT is_copy", target):
            self.fail(row["message"], reason)

    def has_work(self) -> bool:
        """Whether a frame could be sent now."""
        return any(
            map(self._is_due, self._store.rows("SELECT min(row) AS row, * FROM outbox GROUP BY target, is_copy"))
        )

    def owes_receipts(self) -> list[Person]:
        """To whom receipts are due and may be sent (KEZ-SEQ-027)."""
        rows = self._store.rows("SELECT DISTINCT peer FROM receipts_due")
        people = [self._contacts.of_key(row["peer"]) for row in rows]
        return [person for person in people if person is not None and person.trust.sends]

    def write_receipt(self, person: Person, most: int) -> None:
        """Put a receipt for what is due to somebody into the outbox (KEZ-SEQ-028, KEZ-SEQ-030)."""
        due = "SELECT id FROM receipts_due WHERE peer = ? ORDER BY rowid LIMIT ?"
        with self._store.transaction():
            ids = [row["id"] for row in self._store.rows(due, person.primary, most)]
            self.write(person.primary, {"type": "receipt", "status": "delivered", "ids": ids}, shown=False)
            for message_id in ids:
                self._store.run("DELETE FROM receipts_due WHERE peer = ? AND id = ?", person.primary, message_id)
            person.receipt_at = now_seconds()
            self._contacts.save(person)

    def _next_seq(self, peer: str) -> int:
        """The next number of this device's count (KEZ-SEQ-011)."""
        highest = self._store.value(
            "SELECT max(seq) FROM messages WHERE author = ? AND addressee = ? AND device = ?",
            *(self._account.primary, peer, self._account.device),
        )
        return 0 if highest is None else int(highest) + 1

    def _newest(self, peer: str) -> str | None:
        """The hash of the newest message of a conversation (KEZ-SEQ-012)."""
        newest: str | None = self._store.value(
            f"SELECT hash FROM messages WHERE peer = ? AND shown ORDER BY {IN_ORDER_SHOWN_LAST_FIRST} LIMIT 1", peer
        )
        return newest

    def _enqueue(self, message: int, reader: str, envelope: bytes, *, is_copy: bool) -> None:
        key = parse_account(reader)
        self._store.run(
            "INSERT INTO outbox (message, target, is_copy, kez_id, frame) VALUES (?, ?, ?, ?, ?)",
            *(message, key.hex(), int(is_copy), b64u_encode(secrets.token_bytes(16))),
            frame_of(seal(envelope, key)),
        )


IN_ORDER_SHOWN = "place IS NULL, era, place, row"
"""The order of a conversation: that of the stream (KEZ-SEQ-022), then what the stream does not have yet."""
IN_ORDER_SHOWN_LAST_FIRST = "place IS NOT NULL, era DESC, place DESC, row DESC"


def read_send_answer(data: bytes) -> SendAnswer | None:
    """The answer to a send; None for what is none (KEZ-NAT-067)."""
    try:
        answer = strict_json.parse(data, MAX_ANSWER_BYTES)
    except KezError:
        return None
    if not isinstance(answer, dict):
        return None
    if type(answer.get("ok")) is int and answer["ok"] == 1:
        return SendAnswer("ok")
    code = answer.get("e")
    if code not in _LATER | _NEVER:
        return None
    try:
        return SendAnswer(code, parse_time(answer["at"]))
    except (KezError, KeyError, TypeError):
        return SendAnswer(code)


def _new_id() -> str:
    """A random id that command lines do not take for a flag (KEZ-DM-035)."""
    while (new := b64u_encode(secrets.token_bytes(16))).startswith("-"):
        pass
    return new
