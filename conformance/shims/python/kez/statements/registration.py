"""Registrations, records and server descriptions (registration.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..data.strict_json import canonical, is_integer
from ..data.text import is_hex
from ..data.times import parse_time
from ..errors import KezError
from ..identity.handles import is_local, is_server, parse_handle
from ..identity.primary import Primary, parse_account
from .envelope import ALG_ED25519, verify_envelope, verify_payload
from .sigchain import is_endpoint
from .urls import is_url

MAX_BYTES = 8_192
MAX_TRANSFER_BYTES = 16_384
WINDOW_SECONDS = 300
MAX_LISTED = 16

_INVITE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EVENT = re.compile(r"sha256:[0-9a-f]{64}")
_FLAT_MEMBERS = {"handle", "primary", "created_at", "registration_sig"}


@dataclass(frozen=True)
class Registration:
    """What a registration says; `created_at` in seconds since 1970."""

    handle: str
    server: str
    primary: str
    created_at: int


def check_registration(body: Any, server: str, now: float) -> Registration:
    """Check the body of a registration as the home server `server` does at `now`, seconds since 1970."""
    if len(canonical(body)) > MAX_BYTES:
        raise KezError("too_large", f"more than {MAX_BYTES} bytes")
    if isinstance(body, dict) and "registration" in body:
        body = _without_invite(body)
    is_flat = isinstance(body, dict) and "registration_sig" in body
    registration = verify_registration(_from_flat(body, server) if is_flat else body)
    if registration.server != server:
        raise KezError("wrong_server", "the registration was made for another server")
    if abs(now - registration.created_at) > WINDOW_SECONDS:
        raise KezError("clock_skew", f"created_at is more than {WINDOW_SECONDS} seconds from the server's clock")
    return registration


@dataclass(frozen=True)
class Transfer:
    """What a transfer says."""

    handle: str
    server: str
    old: str
    new: str
    rotate: str


def check_transfer(body: Any, server: str, now: float) -> Transfer:
    """Check the body of a transfer as the home server `server` does at `now` (KEZ-REG-120 to KEZ-REG-122)."""
    if len(canonical(body)) > MAX_TRANSFER_BYTES:
        raise KezError("too_large", f"more than {MAX_TRANSFER_BYTES} bytes")
    if not isinstance(body, dict) or set(body) != {"transfer", "registration"}:
        raise KezError("envelope_malformed", "not exactly a transfer and a registration")
    payload = verify_envelope(body["transfer"], "handle_transfer").payload
    texts = ("handle", "server", "new", "rotate", "created_at", "new_sig")
    if not all(isinstance(payload.get(name), str) for name in texts):
        raise KezError("envelope_malformed", "a member that is missing or no string")
    if not is_local(payload["handle"]) or not is_server(payload["server"]):
        raise KezError("handle_malformed", "not the parts of a handle")
    parse_account(payload["primary"])
    successor = parse_account(payload["new"])
    if not is_hex(payload["new_sig"], 64) or not _EVENT.fullmatch(payload["rotate"]):
        raise KezError("envelope_malformed", "no signature of the new key, or no hash of an event")
    if payload["new"] == payload["primary"]:
        raise KezError("envelope_malformed", "old and new key are the same")
    created_at = parse_time(payload["created_at"])
    acceptance = {name: payload[name] for name in ("version", "handle", "server", "new", "rotate", "created_at")}
    acceptance |= {"type": "kez.handle_transfer_acceptance", "old": payload["primary"]}
    verify_payload(Primary("ed25519", successor), ALG_ED25519, acceptance, bytes.fromhex(payload["new_sig"]))
    registration = verify_registration(body["registration"])
    named = (payload["handle"], payload["server"], payload["new"])
    if (registration.handle, registration.server, registration.primary) != named:
        raise KezError("envelope_malformed", "the registration is not one of this handle by the new key")
    if payload["server"] != server:
        raise KezError("wrong_server", "the transfer was made for another server")
    if any(abs(now - made) > WINDOW_SECONDS for made in (created_at, registration.created_at)):
        raise KezError("clock_skew", f"created_at is more than {WINDOW_SECONDS} seconds from the server's clock")
    return Transfer(payload["handle"], payload["server"], payload["primary"], payload["new"], payload["rotate"])


def verify_registration(value: Any) -> Registration:
    """Verify the envelope of a registration."""
    payload = verify_envelope(value, "handle_registration").payload
    if not all(isinstance(payload.get(name), str) for name in ("handle", "server", "created_at")):
        raise KezError("envelope_malformed", "without handle, server or created_at")
    if not is_local(payload["handle"]) or not is_server(payload["server"]):
        raise KezError("handle_malformed", "not the parts of a handle")
    parse_account(payload["primary"])
    created_at = parse_time(payload["created_at"])
    return Registration(payload["handle"], payload["server"], payload["primary"], created_at)


def verify_record(record: Any, server: str, local: str | None, primary: str | None) -> tuple[str, str]:
    """Verify a record against what was asked; returns handle and primary to pin (KEZ-REG-022).

    Any fault is `record_invalid`.
    """
    try:
        return _verify_record(record, server, local, primary)
    except KezError as error:
        raise KezError("record_invalid", str(error)) from error


def parse_description(value: Any) -> dict[str, Any]:
    """The defined members of a server description; any fault is `record_invalid` (KEZ-REG-029)."""
    broker = value.get("broker") if isinstance(value, dict) else None
    if (
        not isinstance(broker, dict)
        or not is_server(value.get("server"))
        or not _is_list_of_urls(broker.get("tcp"), "nats", "tls")
        or not _is_list_of_urls(broker.get("websocket"), "ws", "wss")
        or not is_url(value.get("sig_server"), "http", "https")
        or not isinstance(value.get("limits", {}), dict)
        or not all(is_integer(limit) for limit in value.get("limits", {}).values())
    ):
        raise KezError("record_invalid", "not a server description")
    return {
        "server": value["server"],
        "broker": {"tcp": broker["tcp"], "websocket": broker["websocket"]},
        "sig_server": value["sig_server"],
        "limits": value.get("limits", {}),
    }


def _without_invite(body: dict[str, Any]) -> Any:
    """The registration beside an invite (KEZ-REG-046)."""
    invite = body.get("invite")
    if set(body) != {"invite", "registration"} or not isinstance(invite, str) or not _INVITE.fullmatch(invite):
        raise KezError("envelope_malformed", "not exactly an invite and a registration")
    return body["registration"]


def _from_flat(body: dict[str, Any], server: str) -> dict[str, Any]:
    """The envelope that a flat registration stands for (KEZ-REG-008)."""
    if set(body) != _FLAT_MEMBERS:
        raise KezError("envelope_malformed", "not exactly the members of the flat form")
    return {
        "kez": "handle_registration",
        "payload": {
            "type": "kez.chat.handle_registration",
            "version": 1,
            "handle": body["handle"],
            "server": server,
            "primary": body["primary"],
            "created_at": body["created_at"],
        },
        "signature": {"alg": ALG_ED25519, "key": body["primary"], "sig": body["registration_sig"]},
    }


def _verify_record(record: Any, server: str, local: str | None, primary: str | None) -> tuple[str, str]:
    if not isinstance(record, dict):
        raise KezError("record_invalid", "not an object")
    handle = parse_handle(record.get("handle"))
    registration = verify_registration(record.get("registration"))
    account = registration.primary.removeprefix("ed25519:")
    if (
        not isinstance(record.get("registered_at"), str)
        or not is_url(record.get("sigchain_url"), "http", "https")
        or not isinstance(record.get("endpoints"), list)
        or len(record["endpoints"]) > MAX_LISTED
        or not all(
            isinstance(item, dict) and item.get("protocol") == "nats" and is_endpoint(item, account)
            for item in record["endpoints"]
        )
    ):
        raise KezError("record_invalid", "not the members of a record")
    parse_time(record["registered_at"])
    if (registration.handle, registration.server) != (handle.local, handle.server):
        raise KezError("record_invalid", "the registration is of another handle")
    if handle.server != server or (local is not None and handle.local != local):
        raise KezError("record_invalid", "another handle was asked for")
    if registration.primary != record.get("primary") or (primary is not None and registration.primary != primary):
        raise KezError("record_invalid", "another primary was asked for")
    return str(handle), registration.primary


def _is_list_of_urls(value: Any, *schemes: str) -> bool:
    return isinstance(value, list) and len(value) <= MAX_LISTED and all(is_url(url, *schemes) for url in value)
