"""The contacts of a client and how they are kept (messages.md, Trust and Key changes)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from ...data.times import now_seconds
from ...errors import KezError
from ...identity.handles import Handle
from ...messages.contact import CHAIN_STATES, NAME_STATES, Contact, Relation
from ...statements.sigchain import Head
from ..store import Store
from .chains import KnownChain, ShownChain


@dataclass
class Person:
    """A contact, a request's author or a blocked account. `trust` holds the pinned key and the states.

    `look` where a message gave reason to ask home and sig-server again; `unblocked` is the relation before a block;
    `receipt_at` is when the last receipt went to it, seconds since 1970.
    """

    trust: Contact
    handle: str | None = None
    chain: KnownChain = field(default_factory=KnownChain)
    unblocked: Relation = "requested"
    look: bool = False
    receipt_at: float = 0
    row: int | None = None

    @property
    def primary(self) -> str:
        return self.trust.pinned

    @property
    def has_no_inbox(self) -> bool:
        """Whether its chain, as far as it was seen, names no inbox (KEZ-SIG-117)."""
        return self.chain.shown is not None and not self.chain.shown.has_inbox

    def hear(self, head: Head) -> None:
        """A message of this author names a head of its chain (KEZ-SIG-125)."""
        event, look = self.chain.hear(head)
        self.look |= look
        if event is not None:
            self.trust.chain_seen(event, int(now_seconds()))

    def see(self, shown: ShownChain) -> None:
        """A sig-server shows the chain."""
        event = self.chain.see(shown, is_kept=self.trust.chain == "forked_kept")
        self.trust.chain_seen(event, int(now_seconds()), shown.successor)


class Contacts:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __iter__(self) -> Iterator[Person]:
        return (_load(row) for row in self._store.rows("SELECT * FROM contacts ORDER BY row"))

    def of_key(self, primary: str) -> Person | None:
        """Whose pinned key this is."""
        row = self._store.row("SELECT * FROM contacts WHERE pinned = ?", primary)
        return None if row is None else _load(row)

    def of_handle(self, handle: str) -> Person | None:
        row = self._store.row("SELECT * FROM contacts WHERE handle = ?", handle)
        return None if row is None else _load(row)

    def find(self, who: str) -> Person:
        """By handle, by pinned key, or by a key that was pinned once; `contact_unknown`."""
        former = self._store.row(
            "SELECT contacts.* FROM former_keys JOIN contacts ON contacts.row = contact WHERE account = ?", who
        )
        person = self.of_handle(who) or self.of_key(who) or (None if former is None else _load(former))
        if person is None:
            raise KezError("contact_unknown", "not a contact")
        return person

    def keys_of(self, person: Person) -> list[str]:
        """The pinned key, and those that were pinned before it."""
        former = self._store.rows("SELECT account FROM former_keys WHERE contact = ?", person.row)
        return [person.primary, *(row["account"] for row in former)]

    def save(self, person: Person) -> None:
        state = {
            "trust": asdict(person.trust),
            "chain": asdict(person.chain),
            "unblocked": person.unblocked,
            "look": person.look,
            "receipt_at": person.receipt_at,
        }
        values = (person.primary, person.handle, json.dumps(state))
        if person.row is None:
            person.row = self._store.run("INSERT INTO contacts (pinned, handle, state) VALUES (?, ?, ?)", *values)
        else:
            self._store.run("UPDATE contacts SET pinned = ?, handle = ?, state = ? WHERE row = ?", *values, person.row)

    def name(self, person: Person, handle: Handle) -> None:
        """Give a handle to somebody without one, unless it is pinned to another key (KEZ-SEQ-045)."""
        holder = self.of_handle(str(handle))
        if holder is None:
            person.handle = str(handle)
        elif holder.row != person.row:
            holder.look = True
            self.save(holder)

    def replace_key(self, person: Person, former: str) -> None:
        """The user accepted another key, which is pinned by now; a request that it made is part of the contact."""
        request = self.of_key(person.primary)
        if request is not None:
            self._store.run("DELETE FROM contacts WHERE row = ?", request.row)
        person.chain = KnownChain() if request is None else request.chain
        person.look = True
        self.save(person)
        self._store.run("INSERT OR REPLACE INTO former_keys VALUES (?, ?, ?)", former, person.row, int(now_seconds()))
        self._store.run("DELETE FROM former_keys WHERE account = ?", person.primary)


def _load(row: Any) -> Person:
    state = json.loads(row["state"])
    trust = Contact(**state["trust"])
    if trust.name not in NAME_STATES or trust.chain not in CHAIN_STATES:
        # A reason to stop that this version does not know (KEZ-SEQ-053).
        trust.chain = "forked"
        trust.name = trust.name if trust.name in NAME_STATES else "named"
    chain = state["chain"]
    return Person(
        trust=trust,
        handle=row["handle"],
        chain=KnownChain(
            chain["hashes"],
            None if chain["named"] is None else Head(**chain["named"]),
            None if chain["shown"] is None else ShownChain(**chain["shown"]),
        ),
        unblocked=state["unblocked"],
        look=state["look"],
        receipt_at=state["receipt_at"],
        row=row["row"],
    )
