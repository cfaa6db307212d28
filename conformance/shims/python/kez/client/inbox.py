"""Where the client stands in the stream of its home, and what it fetches from there (broker.md, Positions)."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ..broker.login import Subjects
from ..broker.positions import Positions, Subject
from ..broker.requests import Page, decode_page
from ..data import strict_json
from ..data.strict_json import MAX_INTEGER, canonical
from ..data.text import b64u_encode
from ..data.times import now_seconds
from ..errors import KezError
from ..network.nats import Delivered, Requests
from .intake import Intake
from .store import Store
from .trust import blocks

STREAM = "KEZ_INBOX"
FETCH_SECONDS = 4
MAX_REFUSAL_BYTES = 256

Fetched = Literal["more", "all", "refused", "unanswered"]


class InboxReader:
    """Takes live frames and pages into the store, with the positions, in one transaction each."""

    def __init__(self, store: Store, intake: Intake, account: bytes, subjects: Subjects) -> None:
        self._store = store
        self._intake = intake
        self._account = account
        self._subjects = subjects
        kept = store.fact("positions")
        self.positions = Positions(kept["epoch"], kept["at"]) if kept else Positions()

    def take_live(self, message: Delivered) -> bool:
        """Take a live frame; False where the client has to fetch instead. Anything else is dropped (KEZ-NAT-035)."""
        headers = message.headers
        named: dict[str, Subject] = {self._subjects.inbox: "inbox", self._subjects.self: "self"}
        subject = named.get(headers.get("Nats-Subject", ""))
        if headers.get("Nats-Stream") != STREAM or subject is None:
            return True
        seq, last = int(headers["Nats-Sequence"]), int(headers["Nats-Last-Sequence"])
        if not 0 <= last < seq <= MAX_INTEGER:
            return True
        frame = message.payload
        match self.positions.see_live(subject, seq, last, _enc(frame)):
            case "take":
                with self._keeping():
                    self._intake.take(frame, int(now_seconds()), self._era(), seq)
                return True
            case "drop":
                return True
        return False

    async def fetch(self, requests: Requests) -> Fetched:
        """Fetch a page after the smaller position and take it."""
        n = secrets.token_bytes(16)
        after, epoch = self.positions.fetch_after, self.positions.epoch
        request = {"after": after, "n": b64u_encode(n), **({} if epoch is None else {"epoch": epoch})}

        def read(data: bytes) -> Page | str | None:
            try:
                return decode_page(data, self._account, n)
            except KezError:
                return _refusal(data)

        page: Page | str | None = await requests.ask(self._subjects.fetch, canonical(request), read, FETCH_SECONDS)
        if page is None:
            return "unanswered"
        return "refused" if isinstance(page, str) else self._take_page(page, after)

    def _take_page(self, page: Page, after: int) -> Fetched:
        before = (self.positions.epoch, self.positions.fetch_after)
        frames = {stored.seq: _enc(stored.frame) for stored in page.frames}
        epoch = b64u_encode(page.epoch)
        with self._keeping():
            is_other_stream = epoch != self.positions.epoch
            action = self.positions.see_page(epoch, after, frames, page.last_seq)
            if is_other_stream or action == "restart":
                self._store.keep_fact("era", self._era() + 1)
                blocks.forget_told(self._store)
            if action == "restart":
                return "more"
            for stored in page.frames:
                self._intake.take(stored.frame, stored.time_ms // 1000, self._era(), stored.seq)
        has_moved = before != (self.positions.epoch, self.positions.fetch_after)
        return "more" if page.pending and has_moved else "all"

    def _era(self) -> int:
        """How many epochs this store has seen."""
        return self._store.fact("era") or 0

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """A transaction that ends with the positions in the store, or leaves them as they were (KEZ-SEQ-002)."""
        before = copy.deepcopy(self.positions)
        try:
            with self._store.transaction():
                yield
                self._store.keep_fact("positions", {"epoch": self.positions.epoch, "at": self.positions.at})
        except BaseException:
            self.positions = before
            raise


def _enc(frame: bytes) -> bytes:
    return frame[1:33]


def _refusal(data: bytes) -> str | None:
    """The code of an answer that is no page; None where it is none of a home's (KEZ-NAT-067)."""
    try:
        answer = strict_json.parse(data, MAX_REFUSAL_BYTES)
    except KezError:
        return None
    code = answer.get("e") if isinstance(answer, dict) else None
    return code if code in ("full", "slow", "retry", "unknown", "bad", "size") else None
