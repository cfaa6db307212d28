"""Verified streaming of blobs (files.md, KEZ-FIL-014 to KEZ-FIL-018)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from blake3 import blake3

from ..errors import KezError
from .blake3_tree import CHUNK_BYTES, chunk_cv, parent_cv, split, subtree_cv
from .chunks import ChunkSet

GROUP_CHUNKS = 16


def count_chunks(size: int) -> int:
    """An empty blob has one empty chunk."""
    return max(1, -(-size // CHUNK_BYTES))


class Blob:
    """The bytes of a blob with the tree over them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.chunks = count_chunks(len(data))
        self._values: dict[tuple[int, int], bytes] = {}

    @cached_property
    def hash(self) -> bytes:
        return blake3(self.data).digest()

    @cached_property
    def outboard(self) -> bytes:
        """The pairs of all parents above groups, in pre-order."""
        return b"".join(self._outboard(0, self.chunks))

    def answer(self, boundaries: list[int]) -> bytes:
        """The answer to a set of chunks, given by its boundaries (KEZ-FIL-015)."""
        asked = ChunkSet(boundaries, self.chunks)
        return len(self.data).to_bytes(8, "little") + b"".join(self._answer(asked, 0, self.chunks))

    def _outboard(self, start: int, end: int) -> Iterator[bytes]:
        if end - start > GROUP_CHUNKS:
            middle = start + split(end - start)
            yield self._pair(start, end)
            yield from self._outboard(start, middle)
            yield from self._outboard(middle, end)

    def _answer(self, asked: ChunkSet, start: int, end: int) -> Iterator[bytes]:
        if not asked.overlaps(start, end):
            return
        if is_leaf(asked, start, end):
            yield self._bytes(start, end)
            return
        middle = start + split(end - start)
        yield self._pair(start, end)
        yield from self._answer(asked, start, middle)
        yield from self._answer(asked, middle, end)

    def _pair(self, start: int, end: int) -> bytes:
        middle = start + split(end - start)
        return self._value(start, middle) + self._value(middle, end)

    def _value(self, start: int, end: int) -> bytes:
        """The chaining value of the subtree over some chunks, which is not the root."""
        value = self._values.get((start, end))
        if value is None:
            is_chunk = end - start == 1
            value = chunk_cv(self._bytes(start, end), start) if is_chunk else parent_cv(self._pair(start, end))
            self._values[start, end] = value
        return value

    def _bytes(self, start: int, end: int) -> bytes:
        return self.data[start * CHUNK_BYTES : end * CHUNK_BYTES]


def is_leaf(asked: ChunkSet, start: int, end: int) -> bool:
    """Whether a subtree is sent as its bytes: a chunk, or part of a group, that is asked for as a whole."""
    return end - start <= GROUP_CHUNKS and asked.covers(start, end)


@dataclass(frozen=True)
class Verified:
    """Bytes of a blob that hold against its hash."""

    offset: int
    data: bytes


def read_answer(blob_hash: bytes, size: int, boundaries: list[int], answer: bytes) -> Iterator[Verified]:
    """Verify an answer part by part; `blob_mismatch` or `blob_incomplete` (KEZ-FIL-017, KEZ-FIL-018)."""
    reader = _AnswerReader(answer)
    if int.from_bytes(reader.take(8), "little") != size:
        raise KezError("blob_mismatch", "another length than that of the file")
    chunks = count_chunks(size)
    yield from _read(reader, ChunkSet(boundaries, chunks), blob_hash, size, 0, chunks)
    if not reader.at_end:
        raise KezError("blob_mismatch", "bytes follow the answer")


def _read(
    reader: _AnswerReader, asked: ChunkSet, expected: bytes, size: int, start: int, end: int
) -> Iterator[Verified]:
    if not asked.overlaps(start, end):
        return
    is_root = start == 0 and end == count_chunks(size)
    if is_leaf(asked, start, end):
        offset = start * CHUNK_BYTES
        data = reader.take(min(end * CHUNK_BYTES, size) - offset)
        if (blake3(data).digest() if is_root else subtree_cv(data, start)) != expected:
            raise KezError("blob_mismatch", f"the bytes from {offset} on are not those of the hash")
        yield Verified(offset, data)
        return
    pair = reader.take(64)
    if parent_cv(pair, is_root) != expected:
        raise KezError("blob_mismatch", "a pair is not that of its parent")
    middle = start + split(end - start)
    yield from _read(reader, asked, pair[:32], size, start, middle)
    yield from _read(reader, asked, pair[32:], size, middle, end)


class _AnswerReader:
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._offset = 0

    @property
    def at_end(self) -> bool:
        return self._offset == len(self._answer)

    def take(self, count: int) -> bytes:
        data = self._answer[self._offset : self._offset + count]
        if len(data) < count:
            raise KezError("blob_incomplete", "the answer ends early")
        self._offset += count
        return data
