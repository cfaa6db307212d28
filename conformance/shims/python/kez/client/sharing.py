"""The list of files that this account shares: its entries, publishing and anchoring (manifest.md, KEZ-MAN-012 to -041).

Every device of the account takes over what the others published, and each keeps its own shares until they end here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from typing import Any

from blake3 import blake3

from ..data import strict_json
from ..data.strict_json import canonical
from ..data.text import b64u_encode
from ..data.times import format_time, now_seconds, now_time, parse_time
from ..errors import KezError
from ..files.description import is_file_name
from ..files.encryption import encrypt_file
from ..files.tickets import Ticket
from ..identity.primary import parse_account
from ..manifests.manifest import MAX_READERS, Reader, seal_entry
from ..statements.envelope import MAX_MANIFEST_BYTES, read_envelope, sign_payload
from .account import Account
from .home import Home, Verified, next_event
from .store import Store

ANCHORS_PER_DAY = 4
DAY_SECONDS = 24 * 60 * 60
WITHHELD_SECONDS = 7 * DAY_SECONDS
QUIET_SECONDS = 0.25
"""Changes closer together than this are published as one."""
BETWEEN_SECONDS = 10
"""Between two lists for which nobody waits (KEZ-MAN-023)."""
AGAIN_SECONDS = 5
LOOK_SECONDS = 60 * 60
"""How often a day that begins is noticed."""
ROUNDS = 8
_NO_USE_WAITING = frozenset(
    {"too_large", "chain_full", "chain_terminated", "manifest_not_found", "handle_deleted", "handle_not_found"}
)


class Sharing:
    """`reason` is why the list cannot be published or anchored, as the user is told."""

    def __init__(self, store: Store, account: Account, home: Home) -> None:
        self._store = store
        self._account = account
        self._home = home
        self._publishing = asyncio.Lock()
        self._changed = asyncio.Event()
        self._last_put = -BETWEEN_SECONDS
        if self._is_due:
            self._changed.set()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    @property
    def reason(self) -> str | None:
        reason: str | None = self._store.fact("publication_reason")
        return reason

    @property
    def published(self) -> bool:
        return self._store.fact("published_changes") == self._store.fact("changes")

    def share(self, name: str, data: bytes, readers: list[str] | None) -> str:
        """Share a file with accounts, or with everybody; the id of its entry."""
        if not is_file_name(name):
            raise KezError("request_malformed", "not a name of a file")
        if readers is not None and not 1 <= len(readers) < MAX_READERS:
            raise KezError("request_malformed", "too many readers, or none")
        seed, owner = self._account.seed, parse_account(self._account.primary)
        # A key for this file alone (KEZ-FIL-001).
        content_key = secrets.token_bytes(32)
        blob_hash = blake3(encrypt_file(content_key, data)).digest()
        with self._store.transaction():
            # Later than every version before it (KEZ-MAN-041).
            latest = self._store.value("SELECT max(shared_at) FROM shares WHERE name = ?", name)
            shared_at = max(int(now_seconds()), 0 if latest is None else latest + 1)
            file = {
                "name": name,
                "media_type": "application/octet-stream",
                "size": len(data),
                "shared_at": format_time(shared_at),
                "blob_hash": "blake3:" + blob_hash.hex(),
                "ticket": str(Ticket(owner, blob_hash)),
                "content_key": b64u_encode(content_key),
            }
            entry_id = secrets.token_bytes(16)
            if readers is None:
                entry: dict[str, Any] = {"id": b64u_encode(entry_id), "public": file}
            else:
                keys = [Reader(owner), *(Reader(parse_account(reader)) for reader in readers)]
                entry = seal_entry(seed, entry_id, file, secrets.token_bytes(32), secrets.token_bytes(32), keys)
            self._store.run(
                "INSERT INTO shares VALUES (?, ?, ?, ?, 0)",
                *(entry["id"], name, shared_at, json.dumps(entry)),
            )
            self._note_change()
        self._changed.set()
        return str(entry["id"])

    def unshare(self, entry_id: str) -> None:
        with self._store.transaction():
            if self._store.row("SELECT 1 FROM shares WHERE id = ? AND NOT ended", entry_id) is None:
                raise KezError("file_not_found", "nothing is shared under this id")
            self._store.run("UPDATE shares SET ended = 1 WHERE id = ?", entry_id)
            self._note_change()
            self._store.keep_fact("withdraws", True)
        self._changed.set()

    async def publish(self) -> None:
        """Publish what is due, for a user who waits; what fails is told by `reason`, and tried again."""
        async with self._publishing:
            if not self._is_due:
                return
            self._store.keep_fact("is_publishing", True)
            try:
                await self._publish()
            except KezError as error:
                if error.code in _NO_USE_WAITING:
                    self._store.keep_fact("publication_reason", str(error))
                raise
            with self._store.transaction():
                self._store.keep_fact("publication_reason", None)
                self._store.keep_fact("is_publishing", False)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
            self._changed.clear()
            if not self._is_due:
                continue
            await asyncio.sleep(max(QUIET_SECONDS, self._last_put + BETWEEN_SECONDS - time.monotonic()))
            try:
                await self.publish()
            except KezError:
                asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._changed.set)

    @property
    def _is_due(self) -> bool:
        # What is taken back and found the anchors of a day used up is anchored on the next (KEZ-MAN-027).
        is_next_day = bool(self._store.fact("withdraws")) and _today() > (self._store.fact("used_up_on") or 0)
        return not self.published or bool(self._store.fact("is_publishing")) or is_next_day

    def _note_change(self) -> None:
        self._store.keep_fact("changes", (self._store.fact("changes") or 0) + 1)

    async def _publish(self) -> None:
        for _ in range(ROUNDS):
            chain = await self._chain()
            newest = await self._home.manifest(self._account.primary)
            base = self._read(newest)
            entries, revision = await self._merge(base, chain)
            follows = None if chain.anchor is None else chain.anchor.manifest
            if newest is None or base is None or not self._holds(newest, base, follows) or base["entries"] != entries:
                stored = await self._put(entries, revision + 1, follows)
                if stored is None:
                    continue
                newest = stored
                # Another device may have anchored meanwhile (KEZ-MAN-030).
                again = await self._chain()
                if again.anchor != chain.anchor:
                    continue
                chain = again
            if not await self._anchor(newest, chain):
                continue
            return
        raise KezError("manifest_conflict", "another device keeps publishing")

    async def _chain(self) -> Verified:
        chain = await self._account.look_at_chain(self._home)
        if chain is None:
            raise KezError("chain_not_found", "the sig-server does not show the chain of this account")
        return chain

    def _read(self, body: bytes | None) -> dict[str, Any] | None:
        """The payload of a manifest that this account signed; None for what is none."""
        if body is None:
            return None
        try:
            envelope = read_envelope(strict_json.parse(body, MAX_MANIFEST_BYTES), "shared_files")
            envelope.verify()
        except KezError:
            return None
        return envelope.payload if envelope.payload.get("primary") == self._account.primary else None

    @staticmethod
    def _holds(body: bytes, payload: dict[str, Any], anchor: str | None) -> bool:
        """Whether readers take a manifest against an anchor."""
        return payload.get("anchored") == anchor or _hash_of(body) == anchor

    async def _merge(self, base: dict[str, Any] | None, chain: Verified) -> tuple[list[dict[str, Any]], int]:
        """The entries of a list that takes over those of others, and the highest revision so far."""
        own = self._store.rows("SELECT id, entry, ended FROM shares ORDER BY shared_at, id")
        known = {row["id"] for row in own}
        taken: list[dict[str, Any]] = [] if base is None else list(base["entries"])
        revision = max(0 if base is None else base["revision"], self._store.fact("revision") or 0)
        anchor = chain.anchor
        if anchor is not None:
            revision = max(revision, anchor.revision or 0)
            is_known = base is not None and base.get("anchored") == anchor.manifest
            if not is_known and self._store.fact("anchored") != anchor.manifest:
                body = await self._home.manifest(self._account.primary, anchor)
                anchored = self._read(body)
                if anchored is None:
                    self._wait_for_withheld(anchor.manifest)
                else:
                    ids = {entry["id"] for entry in taken}
                    taken += [entry for entry in anchored["entries"] if entry["id"] not in ids]
        foreign = [entry for entry in taken if entry["id"] not in known]
        return foreign + [json.loads(row["entry"]) for row in own if not row["ended"]], revision

    def _wait_for_withheld(self, manifest: str) -> None:
        """A list without the entries of an anchored one would end the shares of another device (KEZ-MAN-034)."""
        withheld = self._store.fact("withheld")
        if withheld is None or withheld["manifest"] != manifest:
            withheld = {"manifest": manifest, "since": now_seconds()}
            self._store.keep_fact("withheld", withheld)
        if now_seconds() < withheld["since"] + WITHHELD_SECONDS:
            raise KezError("manifest_not_found", "waiting for the list of another device, which the home withholds")

    async def _put(self, entries: list[dict[str, Any]], revision: int, anchored: str | None) -> bytes | None:
        """Store a list at the home; None where another device was faster."""
        payload = {
            "type": "kez.chat.shared_files",
            "version": 1,
            "primary": self._account.primary,
            "revision": revision,
            "created_at": now_time(),
            "entries": entries,
            **({} if anchored is None else {"anchored": anchored}),
        }
        body = canonical(sign_payload(self._account.seed, "shared_files", payload))
        if len(body) > MAX_MANIFEST_BYTES:
            raise KezError("too_large", "the list is too long: end some shares")
        changes = self._store.fact("changes")
        try:
            await self._home.put_manifest(self._account.primary, body)
        except KezError as error:
            if error.code == "manifest_conflict":
                return None
            raise
        self._last_put = time.monotonic()
        with self._store.transaction():
            self._store.keep_fact("revision", revision)
            self._store.keep_fact("published_changes", changes)
        return body

    async def _anchor(self, body: bytes, chain: Verified) -> bool:
        """Have the chain name a stored list where it may; False where another round is needed."""
        name = _hash_of(body)
        withdraws = bool(self._store.fact("withdraws"))
        if chain.anchor is not None and chain.anchor.manifest == name:
            self._store.keep_fact("withdraws", False)
            return True
        today = _today()
        used = sum(parse_time(at) // DAY_SECONDS == today for at in chain.state.anchored_at)
        if used >= (ANCHORS_PER_DAY if withdraws else 1):
            self._store.keep_fact("used_up_on", today)
            return True
        revision = strict_json.parse(body, MAX_MANIFEST_BYTES)["payload"]["revision"]
        payload = {"manifest": name, "size": len(body), "revision": revision}
        event = next_event(self._account.seed, self._account.primary, chain.state.head, "set_shared_files", payload)
        try:
            await self._home.append(self._account.primary, event)
        except KezError as error:
            if error.code == "chain_conflict":
                return False
            raise
        with self._store.transaction():
            self._store.keep_fact("anchored", name)
            self._store.keep_fact("withdraws", False)
        # Another device may have published meanwhile (KEZ-MAN-030).
        await self._account.look_at_chain(self._home)
        return await self._home.manifest(self._account.primary) == body


def _today() -> int:
    return int(now_seconds()) // DAY_SECONDS


def _hash_of(body: bytes) -> str:
    return "blake3:" + blake3(body).hexdigest()
