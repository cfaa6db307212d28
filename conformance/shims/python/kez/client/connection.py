"""The connection to the broker: logging in, staying connected, and saying why not (broker.md, Login)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import Callable
from typing import Any

from ..broker.login import Subjects, login_host, sign_login, subjects_of
from ..data.text import b64u_encode
from ..errors import KezError
from ..identity.nkeys import format_nkey
from ..network import Unreachable
from ..network.nats import Delivered, Nats, Requests
from .account import Account
from .home import Home

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60
EVICTIONS = 3
EVICTED_WITHIN_SECONDS = 60
EVICTION_PAUSE_SECONDS = 600


class Connection:
    """`requests` is there while the client is logged in, `reason` while it is not.

    `on_delivered` gets what arrives on the account's delivery subject, `on_login` is called after each login.
    """

    def __init__(
        self, account: Account, home: Home, on_delivered: Callable[[Delivered], None], on_login: Callable[[], None]
    ) -> None:
        self._account = account
        self._home = home
        self._on_delivered = on_delivered
        self._on_login = on_login
        self.subjects: Subjects = subjects_of(bytes.fromhex(account.key))
        self.requests: Requests | None = None
        self.reason = "not connected yet"
        self._wanted = asyncio.Event()
        self._tried = asyncio.Condition()
        self._evictions: list[str] = []
        self._is_resting = False
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def ready(self) -> Requests:
        """The requests of a connection, after another attempt where there is none; else `unreachable` or the reason."""
        if self.requests is None and not self._is_resting:
            async with self._tried:
                self._wanted.set()
                await self._tried.wait()
        if self.requests is None:
            raise Unreachable(self.reason)
        return self.requests

    async def _run(self) -> None:
        """Connect, wait for the end, pause, and again (KEZ-NAT-007)."""
        pause: float = 0
        while True:
            nats: Nats | None = None
            try:
                nats = await self._log_in()
                pause = 0
                logged_in = time.monotonic()
                await self._told_attempt()
                self.reason = await nats.closed
                self._count_eviction(nats.server_id, time.monotonic() - logged_in)
            except KezError as error:
                self.reason = str(error) if error.code == "unreachable" else f"{error.code}: {error}"
            except Exception as error:
                self.reason = f"{type(error).__name__} while connecting"
                traceback.print_exc()
            finally:
                self.requests = None
                if nats is not None:
                    await nats.close()
            await self._told_attempt()
            pause = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, pause * 2))
            if len(self._evictions) >= EVICTIONS:
                self.reason += "; the broker closed three logins in a row, the next one is in ten minutes"
                self._evictions.clear()
                self._is_resting = True
                await asyncio.sleep(EVICTION_PAUSE_SECONDS)
                self._is_resting = False
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause * random.uniform(0.5, 1)):
                        await self._wanted.wait()

    async def _log_in(self) -> Nats:
        """Log in at one of the brokers that the home names."""
        self._wanted.clear()
        failure = KezError("unreachable", "the home server names no broker")
        for place in await self._home.broker_places():
            try:
                nats = await Nats.connect(place, self._login)
            except KezError as error:
                failure = error
                continue
            requests = Requests(nats, self.subjects.reply_prefix)
            nats.subscribe(self.subjects.delivery, self._on_delivered)
            self.requests, self.reason = requests, ""
            self._on_login()
            return nats
        raise failure

    def _login(self, url: str, nonce: str) -> dict[str, Any]:
        signature = sign_login(self._account.seed, login_host(url), nonce)
        return {"nkey": format_nkey(bytes.fromhex(self._account.key)), "sig": b64u_encode(signature)}

    def _count_eviction(self, server_id: str, seconds: float) -> None:
        """Count connections in a row that one broker server closes soon after the login (KEZ-NAT-053)."""
        if seconds >= EVICTED_WITHIN_SECONDS or server_id not in self._evictions:
            self._evictions.clear()
        if seconds < EVICTED_WITHIN_SECONDS:
            self._evictions.append(server_id)

    async def _told_attempt(self) -> None:
        async with self._tried:
            self._tried.notify_all()
