"""Sigchains: events, verification and the state that a chain yields (sigchain.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..data.strict_json import canonical, is_integer
from ..data.text import is_hash, is_hex
from ..data.times import parse_time
from ..errors import KezError
from ..identity.identifiers import normalise_identifier
from ..identity.primary import parse_primary
from .envelope import Envelope, alg_of, read_envelope, verify_payload
from .urls import is_url

MAX_CHAIN_BYTES = 4_194_304
RESERVED_BYTES = 262_144
MAX_MANIFEST_BYTES = 1_048_576

_NAMED_BY = {"nats": "url", "iroh": "node_id"}


@dataclass(frozen=True)
class Head:
    seq: int
    hash: str


@dataclass
class ClaimLink:
    """A link to an identifier; `seq` is that of the event that added it."""

    subject: str
    seq: int
    revoked: bool = False


@dataclass
class Chain:
    """The state after the events so far."""

    primary: str
    head: Head | None = None
    size: int = 0
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    claims: list[ClaimLink] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    shared_files: dict[str, Any] | None = None
    anchored_at: list[str] = field(default_factory=list)
    """The times of all events that named a manifest."""
    successor: str | None = None

    def append(self, value: Any) -> None:
        """Verify an event against this chain and take it in."""
        if self.successor is not None:
            raise KezError("chain_terminated", "the chain was rotated to another key")
        envelope = _read_event(value)
        if envelope.signer != self.primary:
            raise KezError("event_malformed", "the event belongs to another chain")
        envelope.verify()
        event = envelope.payload
        expected_seq, expected_prev = (0, None) if self.head is None else (self.head.seq + 1, self.head.hash)
        if event["seq"] != expected_seq or event.get("prev") != expected_prev:
            raise KezError("chain_conflict", "the event does not extend the head")
        size = self.size + len(canonical(value)) + 1
        if size > (MAX_CHAIN_BYTES if _is_always_possible(event["op"]) else MAX_CHAIN_BYTES - RESERVED_BYTES):
            raise KezError("chain_full", "the chain has reached its largest size")
        self._apply(event)
        self.size = size
        self.head = Head(event["seq"], envelope.hash)

    def _apply(self, event: dict[str, Any]) -> None:
        payload, seq = event["payload"], event["seq"]
        match event["op"]:
            case "add":
                self._add_claim(payload.get("subject"), seq)
            case "revoke":
                self._revoke_claim(payload.get("subject"), seq)
            case "add_endpoint":
                self._add_endpoint(payload)
            case "remove_endpoint":
                self._remove_endpoint(payload)
            case "set_shared_files":
                self._set_shared_files(payload)
                self.anchored_at.append(event["created_at"])
            case "rotate":
                self._rotate(event)
            case "add_device":
                pass
            case _:
                self.ignored.append(seq)

    def _add_claim(self, subject: Any, seq: int) -> None:
        if not isinstance(subject, str):
            self.ignored.append(seq)
            return
        link = ClaimLink(subject, seq)
        for index, claim in enumerate(self.claims):
            if _normal(claim.subject) == _normal(subject):
                self.claims[index] = link
                return
        self.claims.append(link)

    def _revoke_claim(self, subject: Any, seq: int) -> None:
        links = [c for c in self.claims if isinstance(subject, str) and _normal(c.subject) == _normal(subject)]
        if not links:
            self.ignored.append(seq)
        for link in links:
            link.revoked = True

    def _add_endpoint(self, payload: dict[str, Any]) -> None:
        if not is_endpoint(payload, self.primary.removeprefix("ed25519:")):
            raise KezError("event_malformed", "not an endpoint of this account")
        identity = _endpoint_identity(payload)
        others = [endpoint for endpoint in self.endpoints if _endpoint_identity(endpoint) != identity]
        self.endpoints = [*others, payload]

    def _remove_endpoint(self, payload: dict[str, Any]) -> None:
        identity = _endpoint_identity(payload)
        if identity is None:
            raise KezError("event_malformed", "the endpoint to remove is not named")
        self.endpoints = [endpoint for endpoint in self.endpoints if _endpoint_identity(endpoint) != identity]

    def _set_shared_files(self, payload: dict[str, Any]) -> None:
        if not is_hash(payload.get("manifest"), "blake3") or not is_integer(payload.get("size"), 1, MAX_MANIFEST_BYTES):
            raise KezError("event_malformed", "not an anchor of a manifest")
        if "revision" in payload and not is_integer(payload["revision"]):
            raise KezError("event_malformed", "the revision is no integer")
        self.shared_files = {name: payload[name] for name in ("manifest", "size", "revision") if name in payload}

    def _rotate(self, event: dict[str, Any]) -> None:
        payload = event["payload"]
        new_primary = payload.get("new_primary")
        if not isinstance(new_primary, str) or new_primary == self.primary or not is_hex(payload.get("new_sig"), 64):
            raise KezError("event_malformed", "not a rotation to another key")
        key = parse_primary(new_primary)
        acceptance: dict[str, Any] = {
            "type": "kez.rotation_acceptance",
            "version": 1,
            "old": self.primary,
            "new": new_primary,
            **{name: event[name] for name in ("seq", "prev", "created_at") if name in event},
        }
        verify_payload(key, alg_of(key), acceptance, bytes.fromhex(payload["new_sig"]))
        self.successor = new_primary


def verify_chain(primary: str, events: list[Any]) -> Chain:
    """Replay a chain from its beginning."""
    parse_primary(primary)
    chain = Chain(primary)
    for event in events:
        chain.append(event)
    return chain


def compare_heads(known: Head | None, hashes: list[str]) -> str:
    """How a verified chain, given by the hashes of its events, stands to the head that was kept.

    `new`, `same`, `extended` or `unavailable`; raises `chain_rollback` or `chain_fork` (KEZ-SIG-122, -123).
    """
    if known is None:
        return "new"
    if not hashes:
        return "unavailable"
    if len(hashes) <= known.seq:
        raise KezError("chain_rollback", f"the chain ends at {len(hashes) - 1}, the kept head is at {known.seq}")
    if hashes[known.seq] != known.hash:
        raise KezError("chain_fork", f"event {known.seq} is {hashes[known.seq]}, and was {known.hash}")
    return "same" if len(hashes) == known.seq + 1 else "extended"


def is_endpoint(payload: dict[str, Any], account: str) -> bool:
    """Whether `payload` is an endpoint of the account with these hexadecimal digits (KEZ-SIG-112)."""
    if payload.get("protocol") == "nats":
        return (
            payload.get("inbox") == f"kez.inbox.{account}"
            and is_url(payload.get("url"), "nats", "tls")
            and ("ws_url" not in payload or is_url(payload["ws_url"], "ws", "wss"))
        )
    if payload.get("protocol") == "iroh":
        return payload.get("node_id") == account and (
            "relay_url" not in payload or is_url(payload["relay_url"], "http", "https")
        )
    return False


def _read_event(value: Any) -> Envelope:
    envelope = read_envelope(value, "sigchain_event")
    event = envelope.payload
    op = event.get("op")
    if (
        not is_integer(event.get("seq"))
        or not isinstance(event.get("created_at"), str)
        or not isinstance(op, str)
        or not 1 <= len(op) <= 64
        or not isinstance(event.get("payload"), dict)
    ):
        raise KezError("event_malformed", "not the members of an event")
    if (event["seq"] == 0) == ("prev" in event) or ("prev" in event and not is_hash(event["prev"], "sha256")):
        raise KezError("event_malformed", "prev is there at 0, missing elsewhere, or not a hash")
    parse_time(event["created_at"])
    return envelope


def _is_always_possible(op: str) -> bool:
    """Whether the reserved last bytes of a chain admit the operation (KEZ-SIG-140)."""
    return op in ("rotate", "revoke") or op.startswith("remove_")


def _endpoint_identity(payload: dict[str, Any]) -> tuple[str, str] | None:
    protocol = payload.get("protocol")
    member = _NAMED_BY.get(protocol) if isinstance(protocol, str) else None
    name = payload.get(member) if member is not None else None
    return (protocol, name) if isinstance(protocol, str) and isinstance(name, str) else None


def _normal(subject: str) -> str:
    """The normal form of a subject; one that is no identifier stands for itself."""
    try:
        return normalise_identifier(subject)
    except KezError:
        return subject
