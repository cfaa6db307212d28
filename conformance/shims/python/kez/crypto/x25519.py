"""X25519 key agreement between accounts (identity.md)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ..errors import KezError
from . import ed25519


def agree(private: bytes, public: bytes) -> bytes:
    """The shared secret; `zero_shared_secret` where it is zero (KEZ-KEY-012)."""
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise KezError("zero_shared_secret", "the X25519 shared secret is zero") from error


def agree_accounts(seed: bytes, peer: bytes) -> bytes:
    """The static secret of an account, given by its seed, and another, given by its admitted Ed25519 key."""
    return agree(ed25519.x25519_private(seed), ed25519.x25519_image(peer))


def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
