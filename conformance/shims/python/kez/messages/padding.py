"""Padding of bodies (messages.md, KEZ-DM-009 and KEZ-DM-010)."""

from __future__ import annotations

from ..errors import KezError

MAX_BODY_BYTES = 40_960


def plaintext_length(n: int) -> int:
    """The length of the padded plaintext of a body of `n` bytes: 4 + padded(n)."""
    if n <= 32:
        return 36
    power = 1 << (n - 1).bit_length()
    step = 32 if power <= 256 else power // 8
    return 4 + step * -(-n // step)


def pad(body: bytes) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise KezError("message_too_large", f"more than {MAX_BODY_BYTES} bytes")
    return (len(body).to_bytes(4, "big") + body).ljust(plaintext_length(len(body)), b"\0")


def unpad(plaintext: bytes) -> bytes:
    """The body in a plaintext; `padding_invalid`."""
    n = int.from_bytes(plaintext[:4], "big")
    if len(plaintext) < 4 or not 1 <= n <= MAX_BODY_BYTES or len(plaintext) != plaintext_length(n):
        raise KezError("padding_invalid", "another length than the padding has")
    if any(plaintext[4 + n :]):
        raise KezError("padding_invalid", "the padding holds a byte other than zero")
    return plaintext[4 : 4 + n]
