"""The forms in which envelopes travel: compact, Markdown, DNS TXT, chain bundle (envelope.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import zstandard

from ..data import strict_json
from ..data.text import b64u_decode
from ..errors import KezError
from .envelope import MAX_BYTES, Envelope, verify_envelope

MAX_BUNDLE_BYTES = 4_194_304

_COMPACT = "kez:z1:"
_BUNDLE = "kez:zc1:"
_FENCE = re.compile(r" {0,3}```+[ \t]*kez[ \t]*")
_FENCE_END = re.compile(r" {0,3}```+[ \t]*")
_PRIMARY = re.compile(r"Primary:[ \t]*(.*?)[ \t]*")

_MAGIC = 0xFD2FB528.to_bytes(4, "little")
_SINGLE_SEGMENT = 0x20
_WINDOW_OF_4_MIB = 12 << 3
_STEP = 16


def decode_proof(text: str) -> Envelope:
    """The envelope of a proof as JSON, in the compact or in the Markdown form (KEZ-PRF-010)."""
    stripped = text.strip()
    if stripped.startswith("{"):
        return _from_json(stripped.encode("utf-8"))
    if stripped.startswith(_COMPACT):
        return _from_json(_inflate(stripped, _COMPACT, MAX_BYTES))
    return _from_markdown(text)


def decode_txt(segments: Iterable[str]) -> Envelope:
    """The envelope in the strings of a TXT record (KEZ-PRF-008)."""
    return _from_json(_inflate("".join(segments), _COMPACT, MAX_BYTES))


def decode_bundle(text: str) -> list[Envelope]:
    """The envelopes of a chain bundle in order (KEZ-PRF-009)."""
    lines = _inflate(text.strip(), _BUNDLE, MAX_BUNDLE_BYTES).split(b"\n")
    return [_from_json(line) for line in lines if line.strip()]


def _from_json(text: bytes) -> Envelope:
    return verify_envelope(strict_json.parse(text, MAX_BYTES))


def _from_markdown(text: str) -> Envelope:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    start = next((i for i, line in enumerate(lines) if _FENCE.fullmatch(line)), None)
    if start is None:
        raise KezError("encoding_malformed", "no fence marked kez")
    end = next((i for i in range(start + 1, len(lines)) if _FENCE_END.fullmatch(lines[i])), None)
    if end is None:
        raise KezError("encoding_malformed", "a fence that does not end")
    content = "\n".join(lines[start + 1 : end]).strip()
    if content.startswith(_COMPACT):
        envelope = _from_json(_inflate(content, _COMPACT, MAX_BYTES))
    else:
        envelope = _from_json(content.encode("utf-8"))
    primaries = [match[1] for line in lines[:start] if (match := _PRIMARY.fullmatch(line))]
    if any(primary != envelope.signer for primary in primaries):
        raise KezError("envelope_kind", "Primary: names another key than the signer")
    return envelope


def _inflate(text: str, prefix: str, limit: int) -> bytes:
    """Decompress exactly one zstd frame of at most `limit` bytes (KEZ-PRF-005, KEZ-PRF-006)."""
    if not text.startswith(prefix):
        raise KezError("encoding_malformed", f"does not begin with {prefix}")
    compressed = b64u_decode(text.removeprefix(prefix))
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    output = bytearray()
    try:
        frame = _with_bounded_window(compressed)
        # Small steps, so that no more than a few blocks are decompressed beyond the limit.
        for start in range(0, len(frame), _STEP):
            output += decompressor.decompress(frame[start : start + _STEP])
            if len(output) > limit:
                raise KezError("too_large", f"decompresses to more than {limit} bytes")
            if decompressor.eof:
                break
    except zstandard.ZstdError as error:
        raise KezError("encoding_malformed", str(error)) from error
    if not decompressor.eof or decompressor.unused_data or start + _STEP < len(frame):
        raise KezError("encoding_malformed", "not exactly one zstd frame")
    return bytes(output)


def _with_bounded_window(frame: bytes) -> bytes:
    """The same frame, declaring a window of no more than 4 MiB.

    No output here is larger, so no match reaches further back: the decoder need not reserve what a hostile
    header asks for, nor refuse it.
    """
    if len(frame) < 6 or frame[:4] != _MAGIC:
        raise KezError("encoding_malformed", "not a zstd frame")
    if frame[4] & _SINGLE_SEGMENT:
        if zstandard.frame_content_size(frame) > MAX_BUNDLE_BYTES:
            raise KezError("too_large", f"decompresses to more than {MAX_BUNDLE_BYTES} bytes")
        return frame
    return frame[:5] + bytes([min(frame[5], _WINDOW_OF_4_MIB)]) + frame[6:]
