"""Claims (envelope.md, KEZ-PRF-003 and KEZ-PRF-004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..data.times import parse_time
from ..errors import KezError
from ..identity.identifiers import normalise_identifier
from .envelope import verify_envelope


@dataclass(frozen=True)
class Claim:
    """`subject` as it was signed; times in seconds since 1970."""

    subject: str
    primary: str
    created_at: int
    expires_at: int | None

    def is_valid_at(self, now: int) -> bool:
        return self.expires_at is None or now <= self.expires_at


def verify_claim(value: Any) -> Claim:
    payload = verify_envelope(value, "claim").payload
    texts = [payload.get("subject"), payload.get("created_at"), payload.get("expires_at", "")]
    if not all(isinstance(text, str) for text in texts):
        raise KezError("envelope_malformed", "a claim without subject or created_at, or a member that is no string")
    normalise_identifier(payload["subject"])
    created_at = parse_time(payload["created_at"])
    expires_at = parse_time(payload["expires_at"]) if "expires_at" in payload else None
    if expires_at is not None and expires_at <= created_at:
        raise KezError("envelope_malformed", "a claim that ends before it begins")
    return Claim(payload["subject"], payload["primary"], created_at, expires_at)
