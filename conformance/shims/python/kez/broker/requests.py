"""Requests of an account to its home server, and the page that answers a fetch (broker.md)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from ..data import strict_json
from ..data.strict_json import MAX_INTEGER, is_integer
from ..data.text import is_b64u, is_hex
from ..errors import KezError

MAX_REQUEST_BYTES = 512
MAX_PAGE_BYTES = 1_048_576
MAX_PAGE_FRAMES = 512
MAX_FRAME_BYTES = 65_536

_PAGE_HEADER = struct.Struct(">B16s32s16sQIH")
_FRAME_HEADER = struct.Struct(">QQI")


@dataclass(frozen=True)
class StoredFrame:
    """A frame as it lies in the stream; `time_ms` in milliseconds since 1970."""

    seq: int
    time_ms: int
    frame: bytes


@dataclass(frozen=True)
class Page:
    epoch: bytes
    last_seq: int
    pending: int
    frames: list[StoredFrame]


def parse_fetch(data: bytes) -> dict[str, Any]:
    """The members of a fetch request (KEZ-NAT-046)."""
    request = _parse(data)
    if not is_integer(request.get("after")):
        raise KezError("request_malformed", "not a fetch request")
    return _pick(request, "after", "n", "epoch")


def parse_trim(data: bytes) -> dict[str, Any]:
    """The members of a trim request (KEZ-NAT-057)."""
    request = _parse(data)
    if request.get("box") not in ("inbox", "self"):
        raise KezError("request_malformed", "not a trim request")
    if "upTo" in request and (not is_integer(request["upTo"], 1) or "epoch" not in request):
        raise KezError("request_malformed", "upTo without its epoch, or not a sequence number")
    return _pick(request, "box", "upTo", "epoch", "n")


def parse_block(data: bytes) -> dict[str, Any]:
    """The members of a block request (KEZ-NAT-062)."""
    request = _parse(data)
    if request.get("op") not in ("add", "remove") or not is_hex(request.get("who"), 32):
        raise KezError("request_malformed", "not a block request")
    return _pick(request, "op", "who", "n")


def decode_page(data: bytes, account: bytes, n: bytes) -> Page:
    """Decode the answer to the fetch `n` of `account`; `page_malformed` (KEZ-NAT-030, -031, -034)."""
    if not _PAGE_HEADER.size <= len(data) <= MAX_PAGE_BYTES:
        raise KezError("page_malformed", "too short or too long")
    version, epoch, pk, page_n, last_seq, pending, count = _PAGE_HEADER.unpack_from(data)
    if version != 1 or pk != account or page_n != n or count > MAX_PAGE_FRAMES or last_seq > MAX_INTEGER:
        raise KezError("page_malformed", "another version, account or request, or a number that is too high")
    frames: list[StoredFrame] = []
    offset = _PAGE_HEADER.size
    newest = 0
    for _ in range(count):
        if offset + _FRAME_HEADER.size > len(data):
            raise KezError("page_malformed", "ends early")
        seq, time_ms, length = _FRAME_HEADER.unpack_from(data, offset)
        offset += _FRAME_HEADER.size
        if time_ms > MAX_INTEGER:
            raise KezError("page_malformed", "a time that is too high")
        if not newest < seq <= last_seq or not 1 <= length <= MAX_FRAME_BYTES or offset + length > len(data):
            raise KezError("page_malformed", "a frame out of order, or of a wrong length")
        frames.append(StoredFrame(seq, time_ms, data[offset : offset + length]))
        offset += length
        newest = seq
    if offset != len(data):
        raise KezError("page_malformed", "bytes follow the last frame")
    return Page(epoch, last_seq, pending, frames)


def _parse(data: bytes) -> dict[str, Any]:
    request = strict_json.parse(data, MAX_REQUEST_BYTES)
    if not isinstance(request, dict) or not is_b64u(request.get("n"), 16):
        raise KezError("request_malformed", "not an object with an n")
    if "epoch" in request and not is_b64u(request["epoch"], 16):
        raise KezError("request_malformed", "the epoch is not 16 bytes")
    return request


def _pick(request: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: request[name] for name in names if name in request}
