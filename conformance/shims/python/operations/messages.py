"""Padding, messages, frames and states of a contact."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from kez.client.intake import Intake
from kez.client.outbox import IN_ORDER_SHOWN
from kez.client.store import Store
from kez.client.texts import text_of
from kez.crypto import ed25519
from kez.data.strict_json import canonical
from kez.data.text import b64u_decode, b64u_encode
from kez.data.times import parse_time
from kez.identity.primary import format_account, parse_account
from kez.messages.contact import Contact, Notice, Refused
from kez.messages.message import Header, address_life, encrypt, frame_of, open_frame, seal, seal_aad
from kez.messages.padding import plaintext_length, unpad

from .registry import Arguments, operation

HEADER = ("from", "to", "id", "device", "seq", "prev")
SHOWN_IN_FULL = 1_024
"""Results of `message.encrypt` leave out the long values above this length of a plaintext."""


@operation("padding.length")
def padding_length(args: Arguments) -> int:
    return plaintext_length(args["n"])


@operation("padding.unpad")
def padding_unpad(args: Arguments) -> str:
    return unpad(bytes.fromhex(args["plaintext"])).hex()


@operation("message.encrypt", takes_randomness=True)
def message_encrypt(args: Arguments) -> dict[str, Any]:
    header = Header(
        to=parse_account(args["to"]),
        salt=b64u_decode(args["salt"]),
        prev=args.get("prev"),
        **{name: args[name] for name in ("id", "device", "seq", "created_at")},
    )
    made = encrypt(bytes.fromhex(args["seed"]), header, b64u_decode(args["body"]))
    result: dict[str, Any] = {
        "shared_secret": made.keys.shared_secret.hex(),
        "info": made.keys.info.hex(),
        "okm": made.keys.okm.hex(),
        "key": made.keys.key.hex(),
        "nonce": made.keys.nonce.hex(),
        "aad": b64u_encode(made.aad),
        "plaintext_length": len(made.plaintext),
        "plaintext_sha256": hashlib.sha256(made.plaintext).hexdigest(),
        "ciphertext_sha256": hashlib.sha256(made.ciphertext).hexdigest(),
        "envelope_hash": "sha256:" + hashlib.sha256(canonical(made.envelope)).hexdigest(),
    }
    if len(made.plaintext) <= SHOWN_IN_FULL:
        result["plaintext"] = made.plaintext.hex()
        result["ciphertext"] = b64u_encode(made.ciphertext)
        result["envelope"] = made.envelope
    return result


@operation("message.seal", takes_randomness=True)
def message_seal(args: Arguments) -> dict[str, str]:
    reader = parse_account(args["reader"])
    sealed = seal(b64u_decode(args["envelope"]), reader, bytes.fromhex(args["ephemeral"]))
    return {
        "enc": sealed.enc.hex(),
        "dh": sealed.dh.hex(),
        "shared_secret": sealed.shared_secret.hex(),
        "key": sealed.key.hex(),
        "nonce": sealed.base_nonce.hex(),
        "aad": seal_aad(reader).hex(),
        "frame": b64u_encode(frame_of(sealed)),
    }


@operation("message.open")
def message_open(args: Arguments) -> dict[str, Any]:
    message = open_frame(bytes.fromhex(args["seed"]), b64u_decode(args["frame"]))
    header: dict[str, Any] = {name: message.payload[name] for name in HEADER if name in message.payload}
    return {"role": message.role, "peer": message.peer, **header, "hash": message.hash, "body": message.body}


@operation("address.life")
def address_life_operation(args: Arguments) -> float:
    return address_life(parse_time(args["created_at"]), parse_time(args["expires_at"]), args["stored"], args["asked"])


@operation("inbox.take")
def inbox_take(args: Arguments) -> dict[str, Any]:
    store, seed = Store(":memory:"), bytes.fromhex(args["seed"])
    intake = Intake(store, seed)
    for place, stored in enumerate(args["frames"], 1):
        intake.take(b64u_decode(stored["frame"]), parse_time(args["now"]), 1, place)
    dropped = [row["code"] for row in store.rows("SELECT code FROM dropped ORDER BY row")]
    shown = store.rows(f"SELECT * FROM messages WHERE shown ORDER BY {IN_ORDER_SHOWN}")
    return {"messages": [_held(row, seed) for row in shown], "dropped": dropped}


def _held(row: Any, seed: bytes) -> dict[str, Any]:
    is_own = row["author"] == format_account(ed25519.public_key(seed))
    marks = {
        "state": row["state"],
        "gap": row["gap"],
        **{name: bool(row[name]) for name in ("equivocation", "fork", "suspicious")},
    }
    return {
        "peer": row["peer"],
        "direction": "out" if is_own else "in",
        "id": row["id"],
        "text": text_of(json.loads(row["body"])),
        **{name: value for name, value in marks.items() if value},
    }


@operation("contact.trace")
def contact_trace(args: Arguments) -> list[dict[str, Any]]:
    state = args["state"]
    contact = Contact(**{**state, **({"noticed_at": parse_time(state["noticed_at"])} if "noticed_at" in state else {})})
    return [_contact_step(contact, event) for event in args["events"]]


def _contact_step(contact: Contact, event: dict[str, Any]) -> dict[str, Any]:
    notice: Notice | None = None
    refused: str | None = None
    at, primary = parse_time(event["at"]), event.get("primary")
    try:
        match event["event"]:
            case "names" | "names_nobody":
                notice = contact.home_names(primary, at)
            case "user_keeps":
                contact.user_keeps(at)
            case "user_accepts":
                contact.user_accepts(event["primary"])
            case "user_confirms":
                contact.user_confirms(event["primary"])
            case seen:
                notice = contact.chain_seen(seen, at, primary)
    except Refused as refusal:
        refused = refusal.reason
    result: dict[str, Any] = {
        "pinned": contact.pinned,
        "name": contact.name,
        "chain": contact.chain,
        "offered": contact.offered and asdict(contact.offered),
        "sends": contact.sends,
        "number": contact.number,
        "verified": contact.shown_verified,
        "notice": notice,
        "refused": refused,
    }
    return {name: value for name, value in result.items() if value is not None}
