"""Sets of chunks, and requests for them (files.md, KEZ-FIL-019 to KEZ-FIL-022)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from ..errors import KezError
from .varint import Reader, write_varint

MAX_REQUEST_BYTES = 65_536
LAST_CHUNK = 2**64 - 1

_GET = 0
_KINDS = {_GET: "get", 1: "observe", 8: "push", 9: "getMany"}


class ChunkSet:
    """The chunks of a blob of `count` chunks that are asked for by a list of rising boundaries."""

    def __init__(self, boundaries: list[int], count: int) -> None:
        last = count - 1
        self._ranges: list[tuple[int, int]] = []
        for start, end in zip_longest(boundaries[::2], boundaries[1::2]):
            # Whatever is at or beyond the last chunk means the last chunk.
            first = min(start, last)
            beyond = count if end is None or end > last else end
            if self._ranges and self._ranges[-1][1] >= first:
                first = self._ranges.pop()[0]
            self._ranges.append((first, beyond))

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any chunk from `start` up to but not including `end` is asked for."""
        return any(first < end and start < beyond for first, beyond in self._ranges)

    def covers(self, start: int, end: int) -> bool:
        """Whether all of them are."""
        return any(first <= start and end <= beyond for first, beyond in self._ranges)


@dataclass(frozen=True)
class Asked:
    """What a request asks for. `listed`: the blobs that the blob lists, as well; None for another kind than `get`."""

    kind: str
    listed: bool | None = None


def write_request(blob_hash: bytes, boundaries: list[int]) -> bytes:
    """The request for a set of chunks of one blob."""
    if not boundaries:
        return bytes([_GET]) + blob_hash + b"\0"
    return bytes([_GET]) + blob_hash + b"\2\0" + _write_set(boundaries) + b"\1\0"


def read_request(data: bytes) -> Asked:
    """What a received request asks for; `request_malformed`. Only `get` without `listed` may be served."""
    if len(data) > MAX_REQUEST_BYTES:
        raise KezError("too_large", f"more than {MAX_REQUEST_BYTES} bytes")
    try:
        return _read_request(Reader(data))
    except ValueError as error:
        raise KezError("request_malformed", str(error)) from error


def _read_request(reader: Reader) -> Asked:
    kind = _KINDS.get(reader.byte())
    if kind is None:
        raise ValueError("an unknown kind")
    if kind != "get":
        return Asked(kind)
    reader.bytes(32)
    # A sequence of sets, each by its distance from the one before: place 0 is the blob itself, 1 the first blob that it
    # lists. A set holds for all places until the next one, and differs from the set before.
    place, boundaries = 0, list[int]()
    places: list[int] = []
    for number in range(reader.varint(64)):
        distance = reader.varint(64)
        place += distance
        following = _read_set(reader)
        if place > LAST_CHUNK or (number and distance == 0) or following == boundaries:
            raise ValueError("sets that are not in their one form")
        boundaries = following
        places.append(place)
    if not reader.at_end:
        raise ValueError("bytes follow the request")
    return Asked("get", listed=places not in ([], [0, 1]) or boundaries != [])


def _write_set(boundaries: list[int]) -> bytes:
    distances = [boundary - before for before, boundary in zip([0, *boundaries], boundaries, strict=False)]
    return write_varint(len(boundaries)) + b"".join(map(write_varint, distances))


def _read_set(reader: Reader) -> list[int]:
    boundaries: list[int] = []
    for number in range(reader.varint(64)):
        distance = reader.varint(64)
        if number and distance == 0:
            raise ValueError("boundaries that do not rise")
        boundaries.append(distance + (boundaries[-1] if boundaries else 0))
        if boundaries[-1] > LAST_CHUNK:
            raise ValueError("a boundary out of range")
    return boundaries
