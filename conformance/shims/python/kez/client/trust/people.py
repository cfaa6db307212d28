"""Looking contacts up, and the user's word about them (messages.md, Trust and Key changes)."""

from __future__ import annotations

import contextlib

from ...data.times import now_seconds
from ...errors import KezError
from ...identity.handles import parse_handle
from ...identity.primary import parse_account
from ...messages.contact import Contact, Refused
from ..home import Home, Verified
from ..intake import owe_receipts
from ..outbox import Outbox
from ..store import Store
from . import blocks
from .chains import ShownChain
from .contacts import Contacts, Person


class People:
    def __init__(self, store: Store, home: Home, outbox: Outbox, own: str) -> None:
        self._store = store
        self._home = home
        self._outbox = outbox
        self._own = own
        self.contacts = Contacts(store)

    async def add(self, handle: str) -> Person:
        """Look a handle up and pin its key; a contact that has the handle is looked at again."""
        known = self.contacts.of_handle(handle)
        if known is not None:
            known = await self.refresh(known)
            return await self.accept(known, None)
        parsed = parse_handle(handle)
        if parsed.server != (await self._home.description())["server"]:
            raise KezError("federation_unsupported", "the handle belongs to another server")
        primary = await self._home.names(parsed)
        if primary is None:
            raise KezError("handle_not_found", "nobody has this handle")
        if primary == self._own:
            raise KezError("request_malformed", "the own handle")
        chain = await self._home.chain(primary)
        person = self.contacts.of_key(primary) or Person(Contact(primary, "accepted"))
        if person.handle is not None:
            raise KezError("record_invalid", "the key is pinned to another handle")
        person.handle = handle
        self._see(person, chain)
        self.contacts.save(person)
        return self._accept_request(person)

    async def refresh(self, person: Person) -> Person:
        """Ask home server and sig-server about somebody again."""
        person = await self._ask_home(person)
        if await self.chain(person) is None and person.chain.head is not None:
            raise KezError("unavailable", "the sig-server does not show the sigchain")
        return self._again(person)

    async def look(self, person: Person) -> None:
        """Ask again about somebody whose message gave reason to; what cannot be asked now is asked another time."""
        with contextlib.suppress(KezError):
            await self._ask_home(person)
        with contextlib.suppress(KezError):
            await self.chain(self._again(person))

    async def chain(self, person: Person) -> Verified | None:
        """The chain of somebody, of which it is kept what it says about its owner."""
        chain = await self._home.chain(person.primary)
        person = self._again(person)
        self._see(person, chain)
        person.look = chain is None and person.chain.named is not None
        self.contacts.save(person)
        return chain

    async def accept(self, person: Person, primary: str | None) -> Person:
        """Accept a request, or the key that is offered in the place of the pinned one (KEZ-SEQ-043)."""
        if primary is None:
            return self._accept_request(person)
        former = person.primary
        offered = person.trust.offered
        if offered is not None and offered.primary == primary and person.trust.names is not None:
            person = await self._ask_home(person)
        try:
            parse_account(primary)
            person.trust.user_accepts(primary)
        except (KezError, Refused) as error:
            raise KezError("key_refused", "not the key that is offered") from error
        with self._store.transaction():
            self.contacts.replace_key(person, former)
            self._outbox.fail_all_to(former, "another key was accepted")
            self._owe_all(person)
        with contextlib.suppress(KezError):
            return await self.refresh(person)
        return self._again(person)

    def keep(self, person: Person) -> Person:
        """The user keeps the pinned key (KEZ-SEQ-047)."""
        if person.trust.chain == "forked":
            person.chain.take_shown()
        person.trust.user_keeps(int(now_seconds()))
        self.contacts.save(person)
        return person

    def confirm(self, person: Person, primary: str) -> Person:
        """The user compared the safety number of a key (KEZ-SEQ-044)."""
        try:
            person.trust.user_confirms(primary)
        except Refused as error:
            raise KezError("key_refused", "not the key of an accepted contact") from error
        self.contacts.save(person)
        return person

    def block(self, person: Person, blocked: bool) -> Person:
        if (person.trust.relation == "blocked") != blocked:
            with self._store.transaction():
                entry = blocks.decide(self._store, person, blocked)
                self._outbox.write(self._own, blocks.note_of([entry]), shown=False)
        return person

    async def _ask_home(self, person: Person) -> Person:
        """Who has the person's handle; or, where none is known, which handle the key has."""
        if person.handle is not None:
            primary = await self._home.names(parse_handle(person.handle))
            person = self._again(person)
            person.trust.home_names(primary, int(now_seconds()))
        else:
            handle = await self._home.handle_of(person.primary)
            person = self._again(person)
            if handle is not None:
                self.contacts.name(person, handle)
        self.contacts.save(person)
        return person

    def _accept_request(self, person: Person) -> Person:
        with self._store.transaction():
            if person.trust.relation == "requested":
                person.trust.relation = person.unblocked = "accepted"
                self.contacts.save(person)
                self._owe_all(person)
        return person

    def _owe_all(self, person: Person) -> None:
        """Mail that came as a request is acknowledged once its author is accepted."""
        mail = "SELECT id FROM messages WHERE author = ? AND peer = ? AND shown"
        if person.trust.relation == "accepted":
            ids = [row["id"] for row in self._store.rows(mail, person.primary, person.primary)]
            owe_receipts(self._store, person.primary, ids)

    def _again(self, person: Person) -> Person:
        """The person as the store has it by now."""
        pinned = self._store.value("SELECT pinned FROM contacts WHERE row = ?", person.row)
        return self.contacts.find(pinned or person.primary)

    @staticmethod
    def _see(person: Person, chain: Verified | None) -> None:
        if chain is not None:
            person.see(chain.shown)
        elif person.chain.head is None:
            # Where a head is known, its chain is unavailable instead (KEZ-SIG-123).
            person.chain.shown = ShownChain([])
