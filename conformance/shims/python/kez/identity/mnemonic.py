"""The words of a seed (identity.md, KEZ-MNE-001 to KEZ-MNE-006)."""

from __future__ import annotations

import hashlib
import re

from mnemonic import Mnemonic

from ..data.text import WHITE_SPACE
from ..errors import KezError

_ENGLISH = Mnemonic("english")
_SPACES = re.compile(f"[{WHITE_SPACE}]+")


def words_to_seed(text: str) -> bytes:
    """The seed of 24 or 12 words; `mnemonic_invalid` never says which word is wrong (KEZ-MNE-011)."""
    words = [word for word in _SPACES.split(text.lower()) if word]
    if len(words) not in (12, 24):
        raise KezError("mnemonic_invalid", "neither 24 nor 12 words")
    try:
        entropy = bytes(_ENGLISH.to_entropy(words))
    except (ValueError, LookupError):
        raise KezError("mnemonic_invalid", "a word that is not in the list, or a wrong checksum") from None
    if len(words) == 24:
        return entropy
    return hashlib.sha256(b"kez-bip39-12-v1" + entropy).digest()


def seed_to_words(seed: bytes) -> str:
    """The 24 words of a seed."""
    return _ENGLISH.to_mnemonic(seed)
