"""HPKE (RFC 9180), mode Base, single-shot, in the one suite of this protocol.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. The ephemeral key is an argument, so that vectors can be
computed; programs leave it out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..errors import KezError
from . import x25519

_KEM = b"KEM" + (0x0020).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0003))
_MODE_BASE = b"\0"


@dataclass(frozen=True)
class Sealed:
    """A sealed text and the values on the way to it, by their names in RFC 9180."""

    enc: bytes
    ciphertext: bytes
    dh: bytes
    shared_secret: bytes
    key: bytes
    base_nonce: bytes


def seal(public: bytes, info: bytes, aad: bytes, plaintext: bytes, ephemeral: bytes | None = None) -> Sealed:
    """Seal to an X25519 public key."""
    private = secrets.token_bytes(32) if ephemeral is None else ephemeral
    enc = x25519.public_of(private)
    dh = x25519.agree(private, public)
    shared_secret = _shared_secret(dh, enc, public)
    key, nonce = _schedule(shared_secret, info)
    ciphertext = ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)
    return Sealed(enc, ciphertext, dh, shared_secret, key, nonce)


def open_sealed(private: bytes, enc: bytes, info: bytes, aad: bytes, ciphertext: bytes) -> bytes | None:
    """What was sealed to the X25519 key `private`; None where it does not open."""
    try:
        dh = x25519.agree(private, enc)
        key, nonce = _schedule(_shared_secret(dh, enc, x25519.public_of(private)), info)
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
    except (KezError, InvalidTag):
        return None


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt, ikm, hashlib.sha256)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    output, block = b"", b""
    while len(output) < length:
        block = hmac.digest(prk, block + info + bytes([len(output) // 32 + 1]), hashlib.sha256)
        output += block
    return output[:length]


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return hkdf_expand(hkdf_extract(salt, ikm), info, length)


def _shared_secret(dh: bytes, enc: bytes, public: bytes) -> bytes:
    prk = _labeled_extract(_KEM, b"", b"eae_prk", dh)
    return _labeled_expand(_KEM, prk, b"shared_secret", enc + public, 32)


def _schedule(shared_secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    context = (
        _MODE_BASE
        + _labeled_extract(_SUITE, b"", b"psk_id_hash", b"")
        + _labeled_extract(_SUITE, b"", b"info_hash", info)
    )
    secret = _labeled_extract(_SUITE, shared_secret, b"secret", b"")
    return _labeled_expand(_SUITE, secret, b"key", context, 32), _labeled_expand(
        _SUITE, secret, b"base_nonce", context, 12
    )


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hkdf_extract(salt, b"HPKE-v1" + suite + label + ikm)


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)
