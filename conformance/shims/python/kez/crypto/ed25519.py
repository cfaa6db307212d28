"""Ed25519: admission of keys, signatures, and the X25519 image of a key (identity.md).

`cryptography` signs and verifies. Admission needs the curve itself, which no common library offers in full.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..errors import KezError

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, P) % P
_SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)

_Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z."""

_IDENTITY: _Point = (0, 1, 1, 0)


def public_key(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


@lru_cache(maxsize=4096)
def is_admissible(key: bytes) -> bool:
    """Whether a public key is canonical, on the curve, and of the prime order (KEZ-KEY-006)."""
    point = _decode(key)
    if point is None or _is_identity(_multiply(8, point)):
        return False
    return _is_identity(_multiply(L, point))


def admit(key: bytes) -> bytes:
    """The key, if it is admissible; else `key_rejected`."""
    if not is_admissible(key):
        raise KezError("key_rejected", "the public key is not admissible")
    return key


def verify(key: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature (KEZ-KEY-008); raises `key_rejected` or `signature_invalid`.

    OpenSSL refuses S >= L and compares encode([S]B - [k]A) with R as bytes, which is the equation of the
    specification. What it is lenient about is the key, and that has been admitted.
    """
    admit(key)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature as error:
        raise KezError("signature_invalid", "the signature does not verify") from error


def x25519_image(key: bytes) -> bytes:
    """The X25519 public key of an Ed25519 public key (KEZ-KEY-010)."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return ((1 + y) * pow(1 - y, -1, P) % P).to_bytes(32, "little")


def x25519_private(seed: bytes) -> bytes:
    """The X25519 private key of a seed, before clamping (KEZ-KEY-011)."""
    return hashlib.sha512(seed).digest()[:32]


def _decode(key: bytes) -> _Point | None:
    """The point of RFC 8032, section 5.1.3, if `key` is its one canonical encoding."""
    if len(key) != 32:
        return None
    number = int.from_bytes(key, "little")
    sign_bit, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P != 0:
        x = x * _SQRT_MINUS_1 % P
        if (v * x * x - u) % P != 0:
            return None
    if x == 0 and sign_bit:
        return None
    if x & 1 != sign_bit:
        x = P - x
    return x, y, 1, x * y % P


def _add(p: _Point, q: _Point) -> _Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * _D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(scalar: int, point: _Point) -> _Point:
    result = _IDENTITY
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _is_identity(point: _Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0
