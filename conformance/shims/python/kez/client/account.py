"""Making an account, carrying on one that was begun, and restoring one (sigchain.md, KEZ-SIG-114 and -115)."""

from __future__ import annotations

import secrets
from typing import Any

from ..data.text import b64u_encode
from ..errors import KezError
from ..identity.handles import Handle, parse_handle
from ..statements.sigchain import Head, compare_heads
from .home import Home, Verified, next_event
from .store import Store

ATTEMPTS = 3


class Account:
    """The account that a store holds. `handle` and `head` are there once it is complete."""

    def __init__(self, store: Store, seed: bytes, primary: str) -> None:
        self._store = store
        self.seed = seed
        self.primary = primary
        if store.fact("primary") not in (None, primary):
            raise KezError("request_malformed", "the store holds another account")
        with store.transaction():
            store.keep_fact("primary", primary)
            if store.fact("device") is None:
                store.keep_fact("device", b64u_encode(secrets.token_bytes(16)))

    @property
    def handle(self) -> str:
        return str(self._store.fact("handle"))

    @property
    def device(self) -> str:
        return str(self._store.fact("device"))

    @property
    def key(self) -> str:
        """The public key in hexadecimal."""
        return self.primary.removeprefix("ed25519:")

    @property
    def head(self) -> Head:
        """The head of the own chain, as far as this client knows it."""
        hashes = self._store.fact("own_chain")
        return Head(len(hashes) - 1, hashes[-1])

    async def complete(self, home: Home, wanted: str | None, invite: str | None) -> None:
        """Take the steps that are missing: the handle `wanted`, or the one that the key holds; then the chain."""
        if self._store.fact("is_complete"):
            return
        description = await home.describe()
        wanted = wanted or self._store.fact("wanted")
        if wanted is None:
            handle = await home.handle_of(self.primary)
            if handle is None:
                raise KezError("handle_not_found", "the key holds no handle at this home")
        else:
            handle = parse_handle(wanted)
            await self._register(home, handle, description["server"], invite)
        await self._begin_chain(home, description["broker"])
        with self._store.transaction():
            self._store.keep_fact("handle", str(handle))
            self._store.keep_fact("is_complete", True)

    async def look_at_chain(self, home: Home) -> Verified | None:
        """The own chain, as the sig-server shows it; `chain_rollback` or `chain_fork` against what was seen before."""
        known = self._store.fact("own_chain") or []
        found = await home.chain(self.primary)
        hashes = [] if found is None else found.shown.hashes
        if compare_heads(Head(len(known) - 1, known[-1]) if known else None, hashes) != "unavailable":
            self._store.keep_fact("own_chain", hashes)
        return found

    async def _register(self, home: Home, handle: Handle, server: str, invite: str | None) -> None:
        if handle.server != server:
            raise KezError("wrong_server", "the home server registers no handles of that server")
        self._store.keep_fact("wanted", str(handle))
        await home.register(self.seed, self.primary, handle, invite)

    async def _begin_chain(self, home: Home, broker: dict[str, Any]) -> None:
        if not broker["tcp"]:
            raise KezError("record_invalid", "the home server names no broker")
        endpoint = {
            "protocol": "nats",
            "url": broker["tcp"][0],
            **({"ws_url": broker["websocket"][0]} if broker["websocket"] else {}),
            "inbox": f"kez.inbox.{self.key}",
        }
        for attempt in range(ATTEMPTS):
            found = await self.look_at_chain(home)
            if found is not None and endpoint["url"] in [known.get("url") for known in found.state.endpoints]:
                return
            head = None if found is None else found.state.head
            try:
                await home.append(self.primary, next_event(self.seed, self.primary, head, "add_endpoint", endpoint))
            except KezError as error:
                # Another device was faster, or the answer to an earlier attempt was lost (KEZ-SIG-135).
                if error.code != "chain_conflict" or attempt == ATTEMPTS - 1:
                    raise
        await self.look_at_chain(home)
