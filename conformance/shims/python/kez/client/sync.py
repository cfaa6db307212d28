"""What a client does in the background, or at once where its user asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import traceback
from functools import partial

from ..data.text import b64u_encode
from ..data.times import now_seconds
from ..errors import KezError
from ..messages.body import MAX_BLOCK_ENTRIES
from ..network.nats import Delivered, Requests
from .account import Account
from .connection import Connection
from .home import Home
from .inbox import InboxReader
from .intake import Intake
from .outbox import Outbox, SendAnswer, read_send_answer
from .store import Store
from .trust import blocks
from .trust.contacts import Person
from .trust.people import People

SEND_SECONDS = 4
BLOCK_SECONDS = 4
DAY_SECONDS = 24 * 60 * 60
IDLE_SECONDS = 30
"""After this time what was refused, unanswered or not found is tried again."""
RECEIPT_PAUSE_SECONDS = 2
MAX_RECEIPT_IDS = 128
AGAIN_SECONDS = 0.25
"""Between two rounds of what was not answered."""
REFUSED_FETCH_SECONDS = 1


class Sync:
    def __init__(self, store: Store, account: Account, home: Home, outbox: Outbox, people: People) -> None:
        self._store = store
        self._account = account
        self._home = home
        self._outbox = outbox
        self._people = people
        self._intake = Intake(store, account.seed)
        self.connection = Connection(account, home, self._on_delivered, self._on_login)
        self.inbox = InboxReader(store, self._intake, bytes.fromhex(account.key), self.connection.subjects)
        self._must_fetch = True
        self._tried: set[object] = set()
        """What was tried in vain since the last run began: contacts, changes of blocks, the own chain."""
        self._running = asyncio.Lock()
        self._woken = asyncio.Event()
        self._intake.take_kept()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.connection.close()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def run(self, seconds: float) -> None:
        """Do all that can be done, for `seconds` at most; `unreachable` where there is no connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._running:
                self._begin()
                await self._settle(await self.connection.ready())

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                self._begin()
            self._woken.clear()
            async with self._running:
                if self.connection.requests is not None:
                    try:
                        await self._settle(self.connection.requests)
                    except KezError:
                        pass
                    except Exception:
                        traceback.print_exc()

    def _begin(self) -> None:
        self._must_fetch = True
        self._tried.clear()
        self._outbox.try_refused()

    def _on_login(self) -> None:
        self._must_fetch = True
        self.wake()

    def _on_delivered(self, message: Delivered) -> None:
        if not self.inbox.take_live(message):
            self._must_fetch = True
        self.wake()

    async def _settle(self, requests: Requests) -> None:
        """Work until nothing is left, over the connection that there is."""
        while True:
            if self._must_fetch:
                await self._fetch(requests)
            await self._look_at_own_chain()
            for person in self._to_look_at():
                self._tried.add(person.row)
                await self._people.look(person)
            await self._tell_blocks(requests)
            self._note_blocks()
            pause = self._write_receipts()
            await self._outbox.send(partial(_send, requests))
            if self._must_fetch or self._outbox.has_work() or any(self._to_look_at()):
                await asyncio.sleep(AGAIN_SECONDS)
                requests = await self.connection.ready()
            elif pause is None:
                return
            else:
                await asyncio.sleep(pause)

    async def _fetch(self, requests: Requests) -> None:
        """Fetch until nothing is pending."""
        self._must_fetch = False
        fetched = "more"
        while fetched == "more":
            fetched = await self.inbox.fetch(requests)
        if fetched != "all":
            self._must_fetch = True
        if fetched == "refused":
            await asyncio.sleep(REFUSED_FETCH_SECONDS)

    async def _look_at_own_chain(self) -> None:
        """Once in each run: another device may have extended it, and messages name its head."""
        if "own chain" not in self._tried:
            self._tried.add("own chain")
            with contextlib.suppress(KezError):
                await self._account.look_at_chain(self._home)

    def _to_look_at(self) -> list[Person]:
        return [person for person in self._people.contacts if person.look and person.row not in self._tried]

    async def _tell_blocks(self, requests: Requests) -> None:
        """Repeat changes of the block list at the home until it confirms them; all of it once a day (KEZ-NAT-066)."""
        if blocks.is_time(self._store, "blocks_given", DAY_SECONDS):
            blocks.forget_told(self._store)
        for who, blocked in blocks.untold(self._store):
            if (who, blocked) in self._tried:
                continue
            self._tried.add((who, blocked))
            n = b64u_encode(secrets.token_bytes(16))
            request = blocks.request_of(who, blocked, n)
            subject = self.connection.subjects.block
            answer = await requests.ask(subject, request, partial(blocks.read_answer, n), BLOCK_SECONDS)
            if answer == "ok":
                blocks.confirm(self._store, who, blocked)

    def _note_blocks(self) -> None:
        """Note the whole block list for the account's devices, every week and where one is behind (KEZ-DM-033)."""
        if blocks.is_time(self._store, "blocks_noted", 7 * DAY_SECONDS):
            entries = blocks.entries_of(self._store)
            for first in range(0, len(entries), MAX_BLOCK_ENTRIES):
                note = blocks.note_of(entries[first : first + MAX_BLOCK_ENTRIES])
                self._outbox.write(self._account.primary, note, shown=False)

    def _write_receipts(self) -> float | None:
        """Write the receipts that may be sent now; the seconds until the next one may, if one is due (KEZ-SEQ-028)."""
        pauses = []
        for person in self._outbox.owes_receipts():
            since = now_seconds() - person.receipt_at
            if 0 <= since < RECEIPT_PAUSE_SECONDS:
                pauses.append(RECEIPT_PAUSE_SECONDS - since)
            else:
                self._outbox.write_receipt(person, MAX_RECEIPT_IDS)
        if self._outbox.owes_receipts() and not pauses:
            pauses.append(RECEIPT_PAUSE_SECONDS)
        return min(pauses, default=None)


async def _send(requests: Requests, target: str, kez_id: str, frame: bytes) -> SendAnswer | None:
    return await requests.ask(f"kez.inbox.{target}", frame, read_send_answer, SEND_SECONDS, {"Kez-Id": kez_id})
