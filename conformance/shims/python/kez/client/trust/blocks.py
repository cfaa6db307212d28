"""Whom the account blocks: the list, what its devices tell each other about it, and the home's (broker.md, Block)."""

from __future__ import annotations

from typing import Any

from ...data import strict_json
from ...data.strict_json import canonical
from ...data.times import now_seconds
from ...errors import KezError
from ...messages.contact import Contact
from ..store import Store
from .contacts import Contacts, Person

MAX_ANSWER_BYTES = 256
CODES = frozenset({"bad", "full", "slow", "retry"})


def decide(store: Store, person: Person, blocked: bool) -> dict[str, Any]:
    """The user blocks somebody or takes it back; returns the entry to note (KEZ-DM-031)."""
    rev = 1 + (store.value("SELECT rev FROM blocks WHERE who = ?", person.primary) or 0)
    _apply(store, person, blocked, rev)
    return {"who": person.primary, "blocked": blocked, "rev": rev}


def take_list(store: Store, entries: list[dict[str, Any]]) -> None:
    """Another device noted a block list: the higher `rev` counts, and of two equal ones the block."""
    contacts = Contacts(store)
    for entry in entries:
        known = store.row("SELECT rev, blocked FROM blocks WHERE who = ?", entry["who"])
        if known is not None and (known["rev"], known["blocked"]) >= (entry["rev"], entry["blocked"]):
            if (known["rev"], known["blocked"]) > (entry["rev"], entry["blocked"]):
                store.keep_fact("blocks_noted", 0)
            continue
        person = contacts.of_key(entry["who"])
        if person is None and not entry["blocked"]:
            store.run("INSERT OR REPLACE INTO blocks VALUES (?, 0, ?, 0)", entry["who"], entry["rev"])
        else:
            person = person or Person(Contact(entry["who"], "requested"), look=True)
            _apply(store, person, entry["blocked"], entry["rev"])


def is_time(store: Store, name: str, pause: int) -> bool:
    """Whether what has this name was last done before `pause` seconds; it counts as done now, if there are blocks."""
    now = int(now_seconds())
    if not store.value("SELECT count(*) FROM blocks") or 0 <= now - (store.fact(name) or 0) < pause:
        return False
    store.keep_fact(name, now)
    return True


def forget_told(store: Store) -> None:
    """The home may have lost the list: the whole of it is given again (KEZ-NAT-066)."""
    store.run("UPDATE blocks SET told = 0 WHERE blocked")


def untold(store: Store) -> list[tuple[str, bool]]:
    """The changes that the home has not confirmed."""
    return [(row["who"], bool(row["blocked"])) for row in store.rows("SELECT * FROM blocks WHERE NOT told")]


def request_of(who: str, blocked: bool, n: str) -> bytes:
    return canonical({"op": "add" if blocked else "remove", "who": who.removeprefix("ed25519:"), "n": n})


def read_answer(n: str, data: bytes) -> str | None:
    """`ok` or the code of a refusal; None for what is no answer to the request `n` (KEZ-NAT-061)."""
    try:
        answer = strict_json.parse(data, MAX_ANSWER_BYTES)
    except KezError:
        return None
    if not isinstance(answer, dict):
        return None
    if answer.get("ok") == 1 and answer.get("n") == n:
        return "ok"
    code = answer.get("e")
    return code if code in CODES else None


def confirm(store: Store, who: str, blocked: bool) -> None:
    store.run("UPDATE blocks SET told = 1 WHERE who = ? AND blocked = ?", who, int(blocked))


def entries_of(store: Store) -> list[dict[str, Any]]:
    rows = store.rows("SELECT * FROM blocks ORDER BY who")
    return [{"who": row["who"], "blocked": bool(row["blocked"]), "rev": row["rev"]} for row in rows]


def _apply(store: Store, person: Person, blocked: bool, rev: int) -> None:
    if blocked and person.trust.relation != "blocked":
        person.unblocked = person.trust.relation
        person.trust.relation = "blocked"
    elif not blocked and person.trust.relation == "blocked":
        person.trust.relation = person.unblocked
    Contacts(store).save(person)
    store.run("DELETE FROM receipts_due WHERE peer = ?", person.primary)
    store.run("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, 0)", person.primary, int(blocked), rev)


def note_of(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The body of a note that tells the account's other devices."""
    return {"type": "block_list", "entries": entries, "fallback": "A block list, for the devices of this account."}
