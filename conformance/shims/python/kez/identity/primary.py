"""Primary keys as text, and npubs (identity.md, NIP-19)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..crypto import ed25519
from ..errors import KezError

_ED25519 = re.compile(r"ed25519:([0-9a-f]{64})")
_NPUB = re.compile(r"npub1([02-9ac-hj-np-z]{58})")
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_NPUB_PREFIX = [ord(letter) >> 5 for letter in "npub"] + [0] + [ord(letter) & 31 for letter in "npub"]


@dataclass(frozen=True)
class Primary:
    """A parsed primary. `key` is an admitted Ed25519 key or the x coordinate of a nostr key."""

    system: Literal["ed25519", "nostr"]
    key: bytes


def parse_primary(text: object) -> Primary:
    """Parse a primary of either system; `key_malformed` or `key_rejected` (KEZ-KEY-001, -002, -006)."""
    if isinstance(text, str):
        if match := _ED25519.fullmatch(text):
            return Primary("ed25519", ed25519.admit(bytes.fromhex(match[1])))
        if text.startswith("nostr:"):
            return Primary("nostr", parse_npub(text.removeprefix("nostr:")))
    raise KezError("key_malformed", "not a primary key")


def parse_account(text: object) -> bytes:
    """The admitted Ed25519 key of an account's primary (KEZ-KEY-003)."""
    primary = parse_primary(text)
    if primary.system != "ed25519":
        raise KezError("key_malformed", "not an ed25519 primary")
    return primary.key


def format_account(key: bytes) -> str:
    return "ed25519:" + key.hex()


def parse_npub(text: str) -> bytes:
    """The 32 bytes of an npub, in lower case and with a right checksum; else `key_malformed`."""
    match = _NPUB.fullmatch(text)
    if match is None:
        raise KezError("key_malformed", "not an npub")
    digits = [_BECH32.index(character) for character in match[1]]
    if _polymod(_NPUB_PREFIX + digits) != 1:
        raise KezError("key_malformed", "the checksum of the npub is wrong")
    number = 0
    for digit in digits[:-6]:
        number = number << 5 | digit
    if number & 0b1111:
        raise KezError("key_malformed", "trailing bits of the npub are set")
    return (number >> 4).to_bytes(32, "big")


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                checksum ^= generator
    return checksum
