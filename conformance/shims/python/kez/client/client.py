"""A client: the operations of its user."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..crypto import ed25519
from ..data import strict_json
from ..data.strict_json import canonical, is_integer
from ..data.text import b64u_encode
from ..errors import KezError
from ..identity.mnemonic import words_to_seed
from ..identity.primary import format_account, parse_account
from ..identity.safety_number import safety_number
from ..manifests.manifest import SharedFile
from ..network import Unreachable
from .account import Account
from .home import Home, Verified
from .outbox import IN_ORDER_SHOWN, Outbox
from .shared_files import LookAtChain, shared_files
from .sharing import Sharing
from .store import Store
from .sync import Sync
from .texts import shows_nothing, text_of
from .trust.contacts import Person
from .trust.people import People

FILE_NAME = "kez.sqlite"
TRIM_SECONDS = 5
MAX_TRIM_ANSWER_BYTES = 4_096
_TRIM_CODES = frozenset({"bad", "slow", "retry"})


@dataclass(frozen=True)
class ShownMessage:
    """A message as its user sees it. `state` is that of one's own, `gap` how many are missing before it."""

    id: str
    peer: str
    direction: str
    type: str
    text: str
    state: str | None
    reason: str | None
    gap: int
    equivocation: bool
    fork: bool
    suspicious: bool
    retired: bool


class Client:
    """Made by `open`. All its methods run in the event loop in which it was opened, one at a time."""

    def __init__(self, store: Store, account: Account, home: Home) -> None:
        self._store = store
        self.account = account
        self._home = home
        self._outbox = Outbox(store, account)
        self._people = People(store, home, self._outbox, account.primary)
        self._sync = Sync(store, account, home, self._outbox, self._people)
        self._sharing = Sharing(store, account, home)

    @classmethod
    async def open(
        cls, folder: Path, words: str, home_url: str, handle: str | None, invite: str | None = None
    ) -> Client:
        """Open the account of a folder, after the steps of making or restoring it that are missing."""
        seed = words_to_seed(words)
        store = Store(folder / FILE_NAME)
        try:
            account = Account(store, seed, format_account(ed25519.public_key(seed)))
            home = Home(store, home_url)
            await account.complete(home, handle, invite)
            return cls(store, account, home)
        except BaseException:
            store.close()
            raise

    async def close(self) -> None:
        await self._sharing.close()
        await self._sync.close()
        self._store.close()

    async def sync(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._sharing.publish()
        finally:
            await self._sync.run(max(0.1, end - time.monotonic()))

    def share(self, name: str, data: bytes, who: list[str] | None) -> str:
        """Share a file with contacts, or with everybody; the id of its entry in the list."""
        readers = None if who is None else [self._may_fetch(one).primary for one in who]
        return self._sharing.share(name, data, readers)

    def unshare(self, entry: str) -> None:
        self._sharing.unshare(entry)

    @property
    def publication(self) -> tuple[bool, str | None]:
        """Whether the list is published as it is, and why it cannot be published or anchored."""
        return self._sharing.published, self._sharing.reason

    @property
    def disconnected(self) -> str | None:
        """Why there is no connection to the broker; None where there is one."""
        return self._sync.connection.reason if self._sync.connection.requests is None else None

    def contacts(self) -> list[Person]:
        return list(self._people.contacts)

    async def add(self, handle: str) -> Person:
        return self._woken(await self._people.add(handle))

    async def refresh(self, who: str) -> Person:
        return self._woken(await self._people.refresh(self._person(who)))

    async def accept(self, who: str, primary: str | None) -> Person:
        return self._woken(await self._people.accept(self._person(who), primary))

    def keep(self, who: str) -> Person:
        return self._woken(self._people.keep(self._person(who)))

    def confirm(self, who: str, primary: str) -> Person:
        return self._people.confirm(self._person(who), primary)

    def block(self, who: str, blocked: bool) -> Person:
        return self._woken(self._people.block(self._person(who), blocked))

    def numbers(self, who: str) -> tuple[str, str | None, str | None]:
        """The safety number of the pinned key; the key that is offered in its place, and its number (KEZ-SEQ-042)."""
        person = self._person(who)
        offered = person.trust.offered
        if offered is None:
            return self._number(person.primary), None, None
        is_account = offered.primary.startswith("ed25519:")
        return self._number(person.primary), offered.primary, self._number(offered.primary) if is_account else None

    def send(self, who: str, text: str) -> str:
        """Put a text on durable storage, from where it is sent; returns its id."""
        if shows_nothing(text):
            raise KezError("message_malformed", "a text that shows nothing")
        peer = self.account.primary
        if not self._is_own(who):
            person = self._person(who)
            if not person.trust.sends:
                raise KezError("send_stopped", "the contact is changed, blocked or not accepted")
            if person.has_no_inbox:
                raise KezError("contact_unreachable", "the contact's chain names no inbox")
            peer = person.primary
        message_id = self._outbox.write(peer, {"type": "text", "text": text})
        self._sync.wake()
        return message_id

    def messages(self, who: str) -> list[ShownMessage]:
        """A conversation or a message request, in the order of the stream; nothing of whom the user blocks."""
        if self._is_own(who):
            keys, which = [self.account.primary], ""
        else:
            person = self._person(who)
            keys = self._people.contacts.keys_of(person)
            which = "AND author != peer" if person.trust.relation == "blocked" else ""
        rows = self._store.rows(
            f"SELECT * FROM messages WHERE peer IN ({', '.join('?' * len(keys))}) AND shown {which} "
            f"ORDER BY {IN_ORDER_SHOWN}",
            *keys,
        )
        return [self._shown(row) for row in rows]

    async def trim(self, box: str) -> tuple[int, int]:
        """Have the home remove of a box what this client holds; the bytes used, and the limit (KEZ-SEQ-070)."""
        positions, connection = self._sync.inbox.positions, self._sync.connection
        requests = await connection.ready()
        n = b64u_encode(secrets.token_bytes(16))
        request: dict[str, Any] = {"box": box, "n": n}
        up_to = positions.at["inbox" if box == "inbox" else "self"]
        if positions.epoch is not None and up_to > 0:
            request |= {"upTo": up_to, "epoch": positions.epoch}
        subject = connection.subjects.trim
        answer = await requests.ask(subject, canonical(request), partial(_read_trim_answer, n), TRIM_SECONDS)
        if answer is None:
            raise Unreachable("no answer to a trim")
        if "e" in answer:
            raise KezError(answer["e"], "the home server refuses to trim")
        if box == "self":
            # The notes that held the block list are gone (KEZ-DM-033).
            self._store.keep_fact("blocks_noted", 0)
        return answer["used"], answer["limit"]

    async def files(self, who: str) -> tuple[int, list[SharedFile]]:
        """The revision of the list of files that somebody shares, and those in it that are for this account."""
        if self._is_own(who):
            return await self._files(self.account.primary, lambda: self.account.look_at_chain(self._home))
        primary = self._may_fetch(who).primary

        async def look_at_chain() -> Verified | None:
            chain = await self._people.chain(self._may_fetch(who))
            self._may_fetch(who)
            return chain

        return await self._files(primary, look_at_chain)

    async def _files(self, owner: str, look_at_chain: LookAtChain) -> tuple[int, list[SharedFile]]:
        return await shared_files(self._store, self._home, self.account.seed, owner, look_at_chain)

    def _may_fetch(self, who: str) -> Person:
        person = self._person(who)
        if not person.trust.sends:
            raise KezError("send_stopped", "the contact is changed, blocked or not accepted")
        return person

    def _person(self, who: str) -> Person:
        return self._people.contacts.find(who)

    def _is_own(self, who: str) -> bool:
        return who in (self.account.handle, self.account.primary)

    def _number(self, primary: str) -> str:
        groups = safety_number(parse_account(self.account.primary), parse_account(primary)).groups
        return " ".join(groups)

    def _woken(self, person: Person) -> Person:
        self._sync.wake()
        return person

    def _shown(self, row: Any) -> ShownMessage:
        body = json.loads(row["body"])
        is_own = row["author"] == self.account.primary
        return ShownMessage(
            id=row["id"],
            peer=row["peer"],
            direction="out" if is_own else "in",
            type=body["type"],
            text=text_of(body),
            state=row["state"],
            reason=row["reason"] if row["state"] in ("queued", "failed") else None,
            gap=row["gap"],
            equivocation=bool(row["equivocation"]),
            fork=bool(row["fork"]),
            suspicious=bool(row["suspicious"]),
            retired=bool(row["retired"]),
        )


def _read_trim_answer(n: str, data: bytes) -> dict[str, Any] | None:
    """The answer to the trim `n`; None for what is none (KEZ-NAT-061)."""
    try:
        answer = strict_json.parse(data, MAX_TRIM_ANSWER_BYTES)
    except KezError:
        return None
    if not isinstance(answer, dict):
        return None
    if answer.get("e") in _TRIM_CODES:
        return {"e": answer["e"]}
    is_whole = is_integer(answer.get("used")) and is_integer(answer.get("limit"))
    return answer if answer.get("ok") == 1 and answer.get("n") == n and is_whole else None
