"""Encryption of files and wrapping of their keys (files.md, KEZ-FIL-001 to KEZ-FIL-006)."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..crypto import ed25519, hpke
from ..errors import KezError

CHUNK_BYTES = 65_536
TAG_BYTES = 16
WRAPPED_BYTES = 80

_WRAP_INFO = b"kez.file.key/1"


def encrypt_file(key: bytes, data: bytes) -> bytes:
    """The blob of a file. A key seals one file and nothing else."""
    cipher = ChaCha20Poly1305(key)
    count = _count_chunks(len(data))
    return b"".join(
        cipher.encrypt(_nonce(i, count), data[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES], None) for i in range(count)
    )


def decrypt_file(key: bytes, size: int, blob: bytes) -> bytes:
    """The file of `size` bytes in a blob; `file_undecryptable`."""
    cipher = ChaCha20Poly1305(key)
    count = _count_chunks(size)
    if len(blob) != size + TAG_BYTES * count:
        raise KezError("file_undecryptable", "the blob's length is not that of the file")
    step = CHUNK_BYTES + TAG_BYTES
    try:
        return b"".join(cipher.decrypt(_nonce(i, count), blob[i * step : (i + 1) * step], None) for i in range(count))
    except InvalidTag as error:
        raise KezError("file_undecryptable", "a tag does not verify") from error


def wrap_key(owner: bytes, reader: bytes, blob_hash: bytes, key: bytes, ephemeral: bytes | None = None) -> bytes:
    """Wrap the content key of a blob, which `owner` shares, for `reader`."""
    sealed = hpke.seal(ed25519.x25519_image(reader), _WRAP_INFO, blob_hash + owner + reader, key, ephemeral)
    return sealed.enc + sealed.ciphertext


def unwrap_key(seed: bytes, owner: bytes, blob_hash: bytes, wrapped: bytes) -> bytes:
    """The content key that was wrapped for the account of `seed`; `content_key_invalid`."""
    aad = blob_hash + owner + ed25519.public_key(seed)
    if len(wrapped) != WRAPPED_BYTES:
        raise KezError("content_key_invalid", "not 80 bytes")
    key = hpke.open_sealed(ed25519.x25519_private(seed), wrapped[:32], _WRAP_INFO, aad, wrapped[32:])
    if key is None:
        raise KezError("content_key_invalid", "does not open for this blob, owner and reader")
    return key


def _count_chunks(size: int) -> int:
    return max(1, -(-size // CHUNK_BYTES))


def _nonce(index: int, count: int) -> bytes:
    return index.to_bytes(11, "big") + (b"\1" if index == count - 1 else b"\0")
