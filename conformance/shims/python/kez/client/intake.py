"""Taking frames in: what an account holds afterwards (messages.md, KEZ-SEQ-013 to KEZ-SEQ-032)."""

from __future__ import annotations

import json
from typing import Any

from ..data.times import parse_time
from ..errors import KezError
from ..messages.contact import Contact, Relation
from ..messages.message import Message, open_frame
from ..statements.sigchain import Head
from .store import Store
from .trust import blocks
from .trust.contacts import Contacts, Person

MAX_AGE_SECONDS = 30 * 24 * 60 * 60
MAX_AHEAD_SECONDS = 10 * 60

_STATES = ("stored", "delivered", "read")
_NEVER_SHOWN = frozenset({"receipt", "address_request", "address", "block_list", "device_position"})
_FOR_LATER = frozenset({"suite_unsupported", "algorithm_unsupported"})


class Intake:
    def __init__(self, store: Store, seed: bytes) -> None:
        self._store = store
        self._seed = seed
        self._contacts = Contacts(store)

    def take(self, frame: bytes, stored_at: int, era: int, place: int) -> None:
        """Take a frame that lies at `place` of the stream and was stored at `stored_at`, seconds since 1970."""
        try:
            message = open_frame(self._seed, frame)
        except KezError as error:
            if error.code in _FOR_LATER:
                self._store.run(
                    "INSERT INTO kept_frames (frame, stored_at, era, place) VALUES (?, ?, ?, ?)",
                    *(frame, stored_at, era, place),
                )
            else:
                self._store.run("INSERT INTO dropped (code) VALUES (?)", error.code)
            return
        first = self._store.row(
            "SELECT row, hash, place FROM messages WHERE author = ? AND id = ?",
            *(message.payload["from"], message.payload["id"]),
        )
        if first is None:
            self._hold(message, stored_at, era, place)
        elif first["hash"] != message.hash:
            self._store.run("UPDATE messages SET equivocation = 1 WHERE row = ?", first["row"])
        elif first["place"] is None:
            # An own message, whose place in the stream is that of its copy.
            self._store.run("UPDATE messages SET era = ?, place = ? WHERE row = ?", era, place, first["row"])

    def take_kept(self) -> None:
        """Try the frames that an earlier version kept for a later one (KEZ-SEQ-020)."""
        with self._store.transaction():
            for kept in self._store.rows("SELECT * FROM kept_frames ORDER BY row"):
                self._store.run("DELETE FROM kept_frames WHERE row = ?", kept["row"])
                self.take(kept["frame"], kept["stored_at"], kept["era"], kept["place"])

    def _hold(self, message: Message, stored_at: int, era: int, place: int) -> None:
        shown = message.body["type"] not in _NEVER_SHOWN
        hold(self._store, message, shown=shown, marks=self._marks(message, stored_at, shown), at=(era, place))
        self._take_effect(message, shown)

    def _marks(self, message: Message, stored_at: int, shown: bool) -> dict[str, int]:
        """The marks of a message that is about to be held (KEZ-SEQ-023 to KEZ-SEQ-025, KEZ-SEQ-121).

        A gap before mail that is never shown is told with the next one that is.
        """
        payload = message.payload
        count = (payload["from"], payload["to"], payload["device"])
        of_count = "FROM messages WHERE author = ? AND addressee = ? AND device = ?"
        highest = self._store.value(f"SELECT max(seq) {of_count}", *count)
        fork = self._store.value(f"SELECT count(*) {of_count} AND seq = ?", *count, payload["seq"])
        gap = 0
        if message.role == "incoming":
            gap = max(0, payload["seq"] - (-1 if highest is None else highest) - 1)
            last_shown = self._store.value(f"SELECT max(row) {of_count} AND shown", *count) or 0
            gap += (shown and self._store.value(f"SELECT sum(gap) {of_count} AND row > ?", *count, last_shown)) or 0
        age = stored_at - parse_time(payload["created_at"])
        suspicious = not -MAX_AHEAD_SECONDS <= age <= MAX_AGE_SECONDS
        until = self._store.value("SELECT until FROM former_keys WHERE account = ?", payload["from"])
        retired = until is not None and stored_at >= until
        return {"gap": gap, "fork": int(fork > 0), "suspicious": int(suspicious), "retired": int(retired)}

    def _take_effect(self, message: Message, shown: bool) -> None:
        body = message.body
        match message.role:
            case "note":
                if body["type"] == "block_list":
                    blocks.take_list(self._store, body["entries"])
            case "sent":
                if shown:
                    self._meet(message.peer, "accepted")
                take_early_receipts(self._store, message.peer, message.payload["id"])
            case "incoming":
                person = self._meet(message.peer, "requested") if shown else self._contacts.of_key(message.peer)
                if person is not None:
                    person.hear(Head(body["chain"]["seq"], body["chain"]["hash"]))
                    self._contacts.save(person)
                if shown and person is not None and person.trust.relation == "accepted":
                    owe_receipts(self._store, message.peer, [message.payload["id"]])
                if body["type"] == "receipt":
                    raise_states(self._store, message.peer, body)

    def _meet(self, primary: str, relation: Relation) -> Person:
        """The contact of a key; somebody new is looked at soon. Who the account wrote to, it had accepted."""
        person = self._contacts.of_key(primary)
        if person is None:
            person = Person(Contact(primary, relation), unblocked=relation, look=True)
            self._contacts.save(person)
        elif relation == "accepted" and person.trust.relation == "requested":
            person.trust.relation = relation
            self._contacts.save(person)
        return person


def hold(
    store: Store,
    message: Message,
    *,
    shown: bool,
    marks: dict[str, int] | None = None,
    at: tuple[int, int] | None = None,
) -> int:
    """Hold a message, one's own before it is sent included, which has no place in the stream yet; returns its row."""
    payload = message.payload
    is_own = message.role != "incoming"
    values: dict[str, Any] = {
        "author": payload["from"],
        "addressee": payload["to"],
        "id": payload["id"],
        "device": payload["device"],
        "seq": payload["seq"],
        "hash": message.hash,
        "peer": message.peer,
        "body": json.dumps(message.body),
        "shown": int(shown),
        "era": None if at is None else at[0],
        "place": None if at is None else at[1],
        "state": None if not is_own else "queued" if at is None else "stored",
        **(marks or {}),
    }
    places = ", ".join("?" * len(values))
    return store.run(f"INSERT INTO messages ({', '.join(values)}) VALUES ({places})", *values.values())


def raise_states(store: Store, peer: str, receipt: dict[str, Any]) -> None:
    """Raise the states of messages to the receipt's author; no state goes back (KEZ-SEQ-026, KEZ-SEQ-032)."""
    lower = _STATES[: _STATES.index(receipt["status"])]
    marks = ", ".join("?" * len(lower))
    for message_id in receipt["ids"]:
        store.run(
            f"UPDATE messages SET state = ? WHERE addressee = ? AND author != ? AND id = ? AND state IN ({marks})",
            *(receipt["status"], peer, peer, message_id, *lower),
        )


def take_early_receipts(store: Store, peer: str, message_id: str) -> None:
    """Receipts that came before the own copy of what they acknowledge, or before the answer to its send."""
    receipts = store.rows(
        "SELECT body FROM messages WHERE author = ? AND NOT shown AND instr(body, ?)", peer, json.dumps(message_id)
    )
    for receipt in receipts:
        body = json.loads(receipt["body"])
        if body["type"] == "receipt":
            raise_states(store, peer, body)


def owe_receipts(store: Store, peer: str, ids: list[str]) -> None:
    for message_id in ids:
        store.run("INSERT OR IGNORE INTO receipts_due VALUES (?, ?)", peer, message_id)
