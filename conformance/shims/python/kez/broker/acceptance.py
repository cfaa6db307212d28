"""What a home signs of a send (broker.md, Acceptance)."""

from __future__ import annotations

import hashlib

from ..identity.primary import Primary, parse_account
from ..statements.envelope import ALG_ED25519, verify_payload


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def verify_acceptance(
    server: str, key: Primary, recipient: str, frame: bytes, accepted_at: str, signature: bytes
) -> dict[str, str]:
    """Verify `sig` of an answer, and return the names of recipient and frame in what it signs (KEZ-NAT-103)."""
    named = {
        "recipient": _sha256(b"kez.chat.acceptance/1\0" + parse_account(recipient)),
        "frame": _sha256(frame),
    }
    payload = {
        "type": "kez.chat.acceptance",
        "version": 1,
        "server": server,
        "key": "ed25519:" + key.key.hex(),
        "accepted_at": accepted_at,
        **named,
    }
    verify_payload(key, ALG_ED25519, payload, signature)
    return named
