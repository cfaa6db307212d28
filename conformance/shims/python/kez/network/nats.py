"""A client of the NATS text protocol, of as much as kez-chat needs (broker.md)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..data import strict_json
from ..errors import KezError
from . import Unreachable
from .addresses import Place

CONNECT_SECONDS = 5
PING_SECONDS = 20
MAX_LINE_BYTES = 65_536
MAX_MESSAGE_BYTES = 2 * 1_048_576

_T = TypeVar("_T")
_HEADER_LINE = "NATS/1.0"


@dataclass(frozen=True)
class Delivered:
    """A message of the broker. Names of headers are as they came; of repeated ones the first counts."""

    subject: str
    payload: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: str = ""


Login = Callable[[str, str], dict[str, Any]]
"""From the URL that is dialled and the nonce of the broker, the members of CONNECT that log in."""


class Nats:
    """A connection that is logged in. `closed` is done, with the reason, when it ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server_id: str) -> None:
        self.server_id = server_id
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = reader
        self._writer = writer
        self._handlers: dict[str, Callable[[Delivered], None]] = {}
        self._error = ""
        self._pongs = 0
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def connect(cls, place: Place, login: Login) -> Nats:
        """Connect and log in; `login_refused`, or `Unreachable`."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await cls._connect(place, login)
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise Unreachable(f"broker {place.host}: {error or type(error).__name__}") from error

    @classmethod
    async def _connect(cls, place: Place, login: Login) -> Nats:
        reader, writer = await _dial(place)
        try:
            info = await _read_info(reader)
            if place.scheme == "tls" or info.get("tls_required") is True:
                await writer.start_tls(ssl.create_default_context(), server_hostname=place.host)
            elif not place.is_loopback:
                raise KezError("login_refused", "a broker without TLS, not on loopback")
            options = {
                "verbose": False,
                "pedantic": False,
                "headers": True,
                "no_responders": True,
                "name": "",
                "lang": "python",
                "version": "1",
                "protocol": 1,
                **login(place.url, str(info.get("nonce", ""))),
            }
            writer.write(b"CONNECT " + json.dumps(options).encode("ascii") + b"\r\nPING\r\n")
            while (line := await _read_line(reader)) != "PONG":
                if line.startswith("-ERR"):
                    code = "login_refused" if "authorization" in line.lower() else "unreachable"
                    raise KezError(code, f"the broker says {line[:100]}")
        except BaseException:
            writer.close()
            raise
        connection = cls(reader, writer, str(info.get("server_id", "")))
        connection._tasks = [asyncio.create_task(connection._read()), asyncio.create_task(connection._ping())]
        return connection

    def subscribe(self, subject: str, handler: Callable[[Delivered], None]) -> None:
        """Have `handler` called with what arrives on `subject`; what it raises is dropped (KEZ-NAT-036)."""
        sid = str(len(self._handlers) + 1)
        self._handlers[sid] = handler
        self._writer.write(f"SUB {subject} {sid}\r\n".encode("ascii"))

    def publish(self, subject: str, reply: str, payload: bytes, headers: dict[str, str] | None = None) -> None:
        if headers:
            block = "".join(
                [_HEADER_LINE, "\r\n", *(f"{name}: {value}\r\n" for name, value in headers.items()), "\r\n"]
            )
            head = f"HPUB {subject} {reply} {len(block)} {len(block) + len(payload)}\r\n{block}"
        else:
            head = f"PUB {subject} {reply} {len(payload)}\r\n"
        self._writer.write(head.encode("ascii") + payload + b"\r\n")

    async def flush(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._end("closed")

    def _end(self, reason: str) -> None:
        self._writer.close()
        if not self.closed.done():
            self.closed.set_result(reason)

    async def _read(self) -> None:
        reason = "the broker closed the connection"
        try:
            while True:
                await self._read_operation()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            reason = self._error or (reason if isinstance(error, EOFError) else f"broker: {error}")
        finally:
            self._end(reason)

    async def _read_operation(self) -> None:
        line = await _read_line(self._reader)
        operation, _, rest = line.partition(" ")
        match operation.upper():
            case "MSG" | "HMSG":
                await self._read_message(rest.split(), with_headers=operation.upper() == "HMSG")
            case "PING":
                self._writer.write(b"PONG\r\n")
            case "PONG":
                self._pongs += 1
            case "-ERR":
                self._error = f"the broker says {rest[:100]}"

    async def _read_message(self, arguments: list[str], *, with_headers: bool) -> None:
        length = int(arguments[-1])
        header_length = int(arguments[-2]) if with_headers else 0
        if not 0 <= header_length <= length <= MAX_MESSAGE_BYTES:
            raise ValueError("a message of impossible length")
        data = await self._reader.readexactly(length + 2)
        handler = self._handlers.get(arguments[1])
        if handler is None:
            return
        with contextlib.suppress(Exception):
            status, headers = _parse_headers(data[:header_length])
            handler(Delivered(arguments[0], data[header_length:length], headers, status))

    async def _ping(self) -> None:
        """Notice a connection that is dead without being closed."""
        while True:
            before = self._pongs
            self._writer.write(b"PING\r\n")
            await asyncio.sleep(PING_SECONDS)
            if self._pongs == before:
                self._end("the broker does not answer")
                return


class Requests:
    """Requests with replies under one prefix, on one connection."""

    def __init__(self, nats: Nats, prefix: str) -> None:
        self._nats = nats
        self._prefix = prefix
        self._open: dict[str, Callable[[Delivered], None]] = {}
        nats.subscribe(f"{prefix}.>", self._take)

    async def ask(
        self,
        subject: str,
        payload: bytes,
        read: Callable[[bytes], _T | None],
        seconds: float,
        headers: dict[str, str] | None = None,
    ) -> _T | None:
        """The first answer of which `read` makes something; None after a timeout or the end of the connection."""
        answer: asyncio.Future[_T | None] = asyncio.get_running_loop().create_future()
        reply = f"{self._prefix}.{secrets.token_hex(8)}"

        def take(message: Delivered) -> None:
            result = None if message.status else read(message.payload)
            if not answer.done() and (message.status == "503" or result is not None):
                answer.set_result(result)

        self._open[reply] = take
        try:
            self._nats.publish(subject, reply, payload, headers)
            await self._nats.flush()
            either: set[asyncio.Future[Any]] = {answer, self._nats.closed}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return answer.result() if answer.done() else None
        finally:
            del self._open[reply]

    def _take(self, message: Delivered) -> None:
        take = self._open.get(message.subject)
        if take is not None:
            take(message)


async def _dial(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    failure: Exception = Unreachable(f"no address of {place.host}")
    for address in place.addresses:
        try:
            return await asyncio.open_connection(str(address), place.port, limit=MAX_LINE_BYTES)
        except OSError as error:
            failure = error
    raise failure


async def _read_line(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\r\n")


async def _read_info(reader: asyncio.StreamReader) -> dict[str, Any]:
    operation, _, rest = (await _read_line(reader)).partition(" ")
    try:
        info = strict_json.parse(rest.encode("utf-8"), MAX_LINE_BYTES)
    except KezError:
        info = None
    if operation != "INFO" or not isinstance(info, dict):
        raise ValueError("not a NATS server")
    return info


def _parse_headers(block: bytes) -> tuple[str, dict[str, str]]:
    """The status and the headers of a block, which is empty where there are none."""
    lines = block.decode("utf-8").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name, value.strip())
    return lines[0].removeprefix(_HEADER_LINE).strip()[:3], headers
