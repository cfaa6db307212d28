"""Safety numbers (identity.md, KEZ-KEY-013 to KEZ-KEY-015)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..data.text import b64u_decode, b64u_encode
from ..errors import KezError

_QR_PREFIX = "kez:sn1:"


@dataclass(frozen=True)
class SafetyNumber:
    digest: bytes

    @property
    def groups(self) -> list[str]:
        """Twelve groups of five digits."""
        return [f"{int.from_bytes(self.digest[5 * i : 5 * i + 5], 'big') % 100_000:05}" for i in range(12)]

    @property
    def qr(self) -> str:
        return _QR_PREFIX + b64u_encode(self.digest)


def safety_number(one: bytes, other: bytes) -> SafetyNumber:
    """The number of two accounts, given by their admitted keys in any order."""
    return SafetyNumber(hashlib.sha512(b"kez.chat.safety-number/1\0" + min(one, other) + max(one, other)).digest())


def parse_qr(text: str) -> bytes:
    """The digest in a QR text; anything else is `encoding_malformed`."""
    if not text.startswith(_QR_PREFIX):
        raise KezError("encoding_malformed", "not a safety number")
    digest = b64u_decode(text.removeprefix(_QR_PREFIX))
    if len(digest) != 64:
        raise KezError("encoding_malformed", "not 64 bytes")
    return digest
