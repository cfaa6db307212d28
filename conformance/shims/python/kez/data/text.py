"""Bytes as text: base64url and hexadecimal (KEZ-CAN-001, KEZ-CAN-002), and prefixed hashes."""

from __future__ import annotations

import base64
import re
from typing import Any

from ..errors import KezError

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")

# What the protocol calls white space (README.md, notation): a list of its own, which Python's `\s` is not.
WHITE_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def b64u_encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64u_decode(text: str) -> bytes:
    """Decode canonical, unpadded base64url; anything else is `encoding_malformed`."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise KezError("encoding_malformed", "not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64u_encode(data) != text:
        raise KezError("encoding_malformed", "trailing bits are set")
    return data


def hex_decode(text: str) -> bytes:
    """Decode lower-case hexadecimal; anything else is `encoding_malformed`."""
    if not _HEX.fullmatch(text):
        raise KezError("encoding_malformed", "not lower-case hexadecimal")
    return bytes.fromhex(text)


def is_text(value: Any, least: int, most: int) -> bool:
    """Whether `value` is a string of `least` to `most` characters."""
    return isinstance(value, str) and least <= len(value) <= most


def is_hex(value: Any, size: int) -> bool:
    """Whether `value` is the hexadecimal text of `size` bytes."""
    return isinstance(value, str) and len(value) == 2 * size and _HEX.fullmatch(value) is not None


def is_b64u(value: Any, least: int, most: int | None = None) -> bool:
    """Whether `value` is the base64url text of `least` bytes, or of `least` to `most`."""
    if not isinstance(value, str):
        return False
    try:
        size = len(b64u_decode(value))
    except KezError:
        return False
    return least <= size <= (least if most is None else most)


def is_hash(value: Any, algorithm: str) -> bool:
    """Whether `value` is `<algorithm>:` and the 64 hexadecimal digits of a hash."""
    return isinstance(value, str) and value.startswith(algorithm + ":") and is_hex(value[len(algorithm) + 1 :], 32)
