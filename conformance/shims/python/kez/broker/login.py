"""The login at the broker, and the subjects of an account (broker.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..crypto import ed25519
from ..errors import KezError
from ..statements.urls import parse_url

_NONCE = re.compile(r"[A-Za-z0-9_-]{15}")
_SCHEMES = ("nats", "tls", "ws", "wss")
_MAX_URL = 2**16


@dataclass(frozen=True)
class Subjects:
    inbox: str
    self: str
    delivery: str
    fetch: str
    trim: str
    block: str
    reply_prefix: str


def subjects_of(account: bytes) -> Subjects:
    pk = account.hex()
    return Subjects(
        inbox=f"kez.inbox.{pk}",
        self=f"kez.self.{pk}",
        delivery=f"kez.dlv.{pk}",
        fetch=f"kez.fetch.{pk}",
        trim=f"kez.trim.{pk}",
        block=f"kez.block.{pk}",
        reply_prefix=f"_INBOX_{pk}",
    )


def login_host(url: str) -> str:
    """The host that a login names for the URL that is dialled; else `login_refused` (KEZ-NAT-003)."""
    parsed = parse_url(url, _SCHEMES, _MAX_URL)
    if parsed is None or parsed.username or parsed.password:
        raise KezError("login_refused", "not a broker URL, or one that carries a user")
    host = parsed.hostname.removesuffix(".")
    if not host or host.endswith("."):
        raise KezError("login_refused", "an empty label in the host")
    return host


def login_bytes(host: str, nonce: str) -> bytes:
    """What a login signs; `login_refused` for another nonce or form of host (KEZ-NAT-001, -002)."""
    if not _NONCE.fullmatch(nonce):
        raise KezError("login_refused", "the nonce is not 15 characters of base64url")
    if login_host(f"nats://{host}") != host:
        raise KezError("login_refused", "not a host in its normal form")
    return b"kez/nats-auth/v1\0" + host.encode("ascii") + b"\0" + nonce.encode("ascii")


def sign_login(seed: bytes, host: str, nonce: str) -> bytes:
    return ed25519.sign(seed, login_bytes(host, nonce))
