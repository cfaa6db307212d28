"""Envelopes: members, kinds, signatures and hashes (envelope.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from ..crypto import ed25519, secp256k1
from ..data import strict_json
from ..data.text import is_hex
from ..errors import KezError
from ..identity.primary import Primary, format_account, parse_primary

MAX_BYTES = 65_536
MAX_MANIFEST_BYTES = 1_048_576

ALG_ED25519 = "ed25519-sha512-jcs"
ALG_NOSTR = "nostr-secp256k1-schnorr-sha256-jcs"
_ALG_OF_SYSTEM = {"ed25519": ALG_ED25519, "nostr": ALG_NOSTR}


@dataclass(frozen=True)
class Kind:
    type: str
    signer: str = "primary"
    max_bytes: int = MAX_BYTES


KINDS = {
    "claim": Kind("kez.claim"),
    "sigchain_event": Kind("kez.sigchain.event"),
    "handle_registration": Kind("kez.chat.handle_registration"),
    "handle_deletion": Kind("kez.chat.handle_deletion"),
    "handle_transfer": Kind("kez.chat.handle_transfer"),
    "chat_message": Kind("kez.chat.message", signer="from"),
    "shared_files": Kind("kez.chat.shared_files", max_bytes=MAX_MANIFEST_BYTES),
}


@dataclass(frozen=True)
class Envelope:
    """An envelope in its form; `verify` tells whether its signature holds."""

    value: dict[str, Any]
    kind: str
    payload: dict[str, Any]
    signer: str
    alg: str
    signature: bytes

    @property
    def signed_bytes(self) -> bytes:
        """JCS of the payload."""
        return strict_json.canonical(self.payload)

    @property
    def hash(self) -> str:
        """The hash of the whole envelope, signature included (KEZ-SIG-013)."""
        return "sha256:" + hashlib.sha256(strict_json.canonical(self.value)).hexdigest()

    def verify(self) -> Primary:
        """Verify the signature and return the signer's key (KEZ-SIG-007 to KEZ-SIG-011)."""
        key = parse_primary(self.signer)
        verify_payload(key, self.alg, self.payload, self.signature)
        return key


def read_envelope(value: Any, kind: str | None = None) -> Envelope:
    """Check members and kind of a parsed envelope, of `kind` where one is expected; not the signature.

    Raises `envelope_malformed`, `envelope_kind`, `algorithm_unsupported` or `too_large`.
    """
    envelope = _read_members(value)
    if kind is not None and envelope.kind != kind:
        raise KezError("envelope_kind", f"not a {kind}")
    rules = KINDS.get(envelope.kind)
    payload = envelope.payload
    if rules is None or payload.get("type") != rules.type:
        raise KezError("envelope_kind", "kind and payload type are no pair")
    if not strict_json.is_integer(payload.get("version"), 1, 1):
        raise KezError("envelope_kind", "another version than 1")
    if payload.get(rules.signer) != envelope.signer:
        raise KezError("envelope_kind", "the signer is not the one that the payload names")
    if len(strict_json.canonical(value)) > rules.max_bytes:
        raise KezError("too_large", f"more than {rules.max_bytes} bytes")
    return envelope


def verify_envelope(value: Any, kind: str | None = None) -> Envelope:
    """`read_envelope`, and the signature."""
    envelope = read_envelope(value, kind)
    envelope.verify()
    return envelope


def parse_envelope(text: bytes, kind: str | None = None) -> Envelope:
    """Parse the text of an envelope strictly and verify it."""
    max_bytes = MAX_MANIFEST_BYTES if kind is None else KINDS[kind].max_bytes
    return verify_envelope(strict_json.parse(text, max_bytes), kind)


def verify_payload(key: Primary, alg: str, payload: Any, signature: bytes) -> None:
    """Verify a signature over a payload; `algorithm_unsupported` or `signature_invalid`."""
    if alg != _ALG_OF_SYSTEM[key.system]:
        raise KezError("algorithm_unsupported", "the algorithm does not belong to the key's system")
    signed = strict_json.canonical(payload)
    if key.system == "ed25519":
        ed25519.verify(key.key, hashlib.sha512(signed).digest(), signature)
    elif not secp256k1.verify(key.key, hashlib.sha256(signed).digest(), signature):
        raise KezError("signature_invalid", "the signature does not verify")


def alg_of(key: Primary) -> str:
    return _ALG_OF_SYSTEM[key.system]


def sign_payload(seed: bytes, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The envelope of a payload, signed by the account of `seed`, which the payload has to name (KEZ-SIG-012)."""
    signature = ed25519.sign(seed, hashlib.sha512(strict_json.canonical(payload)).digest())
    key = format_account(ed25519.public_key(seed))
    envelope = {
        "kez": kind,
        "payload": payload,
        "signature": {"alg": ALG_ED25519, "key": key, "sig": signature.hex()},
    }
    read_envelope(envelope, kind)
    return envelope


def _read_members(value: Any) -> Envelope:
    if not isinstance(value, dict) or set(value) != {"kez", "payload", "signature"}:
        raise KezError("envelope_malformed", "not exactly the members kez, payload and signature")
    signature = value["signature"]
    if not isinstance(signature, dict) or set(signature) != {"alg", "key", "sig"}:
        raise KezError("envelope_malformed", "not exactly the members alg, key and sig")
    if not all(isinstance(text, str) for text in (value["kez"], *signature.values())):
        raise KezError("envelope_malformed", "a member that is no string")
    if not isinstance(value["payload"], dict):
        raise KezError("envelope_malformed", "the payload is no object")
    if not is_hex(signature["sig"], 64):
        raise KezError("envelope_malformed", "the signature is not 128 hexadecimal digits")
    if signature["alg"] not in _ALG_OF_SYSTEM.values():
        raise KezError("algorithm_unsupported", "an unknown algorithm")
    return Envelope(
        value,
        value["kez"],
        value["payload"],
        signature["key"],
        signature["alg"],
        bytes.fromhex(signature["sig"]),
    )
