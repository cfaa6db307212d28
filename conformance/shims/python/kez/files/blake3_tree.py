"""The inner nodes of BLAKE3, which no Python binding gives.

Only chaining values of chunks and parents are computed here, in plain Python and slowly: a megabyte takes seconds.
Hashes of whole blobs come from the package `blake3`.
"""

from __future__ import annotations

import struct

CHUNK_BYTES = 1_024

_MASK = 0xFFFFFFFF
_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_MIXED = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)
_WORDS = struct.Struct("<16I")
_VALUE = struct.Struct("<8I")


def _schedule() -> list[tuple[int, int, int, int, int, int]]:
    """For each of the 56 mixing steps its four state words and its two message words."""
    steps = []
    order = list(range(16))
    for _ in range(7):
        steps += [(*words, order[2 * i], order[2 * i + 1]) for i, words in enumerate(_MIXED)]
        order = [order[i] for i in _PERMUTATION]
    return steps


_STEPS = _schedule()


def chunk_cv(data: bytes, index: int) -> bytes:
    """The chaining value of the chunk `index`, of at most 1,024 bytes."""
    value: tuple[int, ...] = _IV
    blocks = [data[start : start + 64] for start in range(0, len(data), 64)] or [b""]
    for number, block in enumerate(blocks):
        flags = (_CHUNK_START if number == 0 else 0) | (_CHUNK_END if number == len(blocks) - 1 else 0)
        value = _compress(value, block, index, flags)
    return _VALUE.pack(*value)


def parent_cv(pair: bytes, is_root: bool = False) -> bytes:
    """The chaining value of a parent, or with `is_root` the hash, from those of its two children."""
    return _VALUE.pack(*_compress(_IV, pair, 0, _PARENT | (_ROOT if is_root else 0)))


def split(chunks: int) -> int:
    """How many chunks the left child of a tree over `chunks` chunks has: the largest power of two below."""
    return 1 << (chunks - 1).bit_length() - 1


def subtree_cv(data: bytes, first_chunk: int) -> bytes:
    """The chaining value of a subtree over `data`, which is not the root."""
    chunks = -(-len(data) // CHUNK_BYTES)
    if chunks <= 1:
        return chunk_cv(data, first_chunk)
    left = split(chunks)
    middle = left * CHUNK_BYTES
    return parent_cv(subtree_cv(data[:middle], first_chunk) + subtree_cv(data[middle:], first_chunk + left))


def _compress(value: tuple[int, ...], block: bytes, counter: int, flags: int) -> tuple[int, ...]:
    message = _WORDS.unpack(block.ljust(64, b"\0"))
    v = [*value, *_IV[:4], counter & _MASK, counter >> 32, len(block), flags]
    for a, b, c, d, x, y in _STEPS:
        va, vb, vc = v[a] + v[b] + message[x] & _MASK, v[b], v[c]
        vd = v[d] ^ va
        vd = vd >> 16 | vd << 16 & _MASK
        vc = vc + vd & _MASK
        vb ^= vc
        vb = vb >> 12 | vb << 20 & _MASK
        va = va + vb + message[y] & _MASK
        vd ^= va
        vd = vd >> 8 | vd << 24 & _MASK
        vc = vc + vd & _MASK
        vb ^= vc
        v[a], v[b], v[c], v[d] = va, vb >> 7 | vb << 25 & _MASK, vc, vd
    return tuple(v[i] ^ v[i + 8] for i in range(8))
