"""The nkey of an account, its public key as NATS writes it (broker.md)."""

from __future__ import annotations

import base64
import binascii
import re

from ..crypto import ed25519
from ..errors import KezError

_USER_PREFIX = b"\xa0"
_NKEY = re.compile(r"[A-Z2-7]{56}")


def format_nkey(key: bytes) -> str:
    body = _USER_PREFIX + key
    checksum = binascii.crc_hqx(body, 0).to_bytes(2, "little")
    return base64.b32encode(body + checksum).decode("ascii").rstrip("=")


def parse_nkey(text: object) -> bytes:
    """The admitted key of an nkey; `key_malformed` or `key_rejected` (KEZ-NAT-004)."""
    if not isinstance(text, str) or not _NKEY.fullmatch(text):
        raise KezError("key_malformed", "not an nkey")
    key = base64.b32decode(text)[1:33]
    if format_nkey(key) != text:
        raise KezError("key_malformed", "another prefix than U, or a wrong checksum")
    return ed25519.admit(key)
