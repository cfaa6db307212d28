"""Envelopes, claims, proofs, sigchains, registrations and hosts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from kez.data.text import b64u_decode, b64u_encode
from kez.statements.claims import verify_claim
from kez.statements.envelope import parse_envelope, sign_payload
from kez.statements.hosts import check_named_host
from kez.statements.proofs import decode_bundle, decode_proof, decode_txt
from kez.statements.registration import (
    check_registration,
    check_transfer,
    parse_description,
    verify_record,
    verify_registration,
)
from kez.statements.sigchain import Head, compare_heads, verify_chain

from .registry import Arguments, operation


@operation("envelope.verify")
def envelope_verify(args: Arguments) -> dict[str, str]:
    envelope = parse_envelope(b64u_decode(args["json"]))
    return {
        "kind": envelope.kind,
        "signer": envelope.signer,
        "signed": b64u_encode(envelope.signed_bytes),
        "hash": envelope.hash,
    }


_READERS = {"claim": verify_claim, "handle_registration": verify_registration}


@operation("envelope.sign")
def envelope_sign(args: Arguments) -> dict[str, str]:
    envelope = sign_payload(bytes.fromhex(args["seed"]), args["kez"], args["payload"])
    # What no reader would take is not handed out (KEZ-SIG-012).
    _READERS[args["kez"]](envelope)
    return envelope["signature"]


@operation("claim.parse")
def claim_parse(args: Arguments) -> dict[str, Any]:
    claim = verify_claim(args["envelope"])
    result = {"subject": claim.subject, "primary": claim.primary, "created_at": claim.created_at * 1000}
    return result if claim.expires_at is None else {**result, "expires_at": claim.expires_at * 1000}


@operation("encoding.decode")
def encoding_decode(args: Arguments) -> str:
    return decode_proof(args["text"]).hash


@operation("encoding.decodeTxt")
def encoding_decode_txt(args: Arguments) -> str:
    return decode_txt(args["segments"]).hash


@operation("encoding.decodeBundle")
def encoding_decode_bundle(args: Arguments) -> list[str]:
    return [envelope.hash for envelope in decode_bundle(args["text"])]


@operation("sigchain.verify")
def sigchain_verify(args: Arguments) -> dict[str, Any]:
    chain = verify_chain(args["primary"], args["events"])
    result: dict[str, Any] = {
        "endpoints": chain.endpoints,
        "claims": [asdict(claim) for claim in chain.claims],
        "ignored": chain.ignored,
    }
    if chain.head is not None:
        result["head"] = asdict(chain.head)
    if chain.shared_files is not None:
        result["shared_files"] = chain.shared_files
    if chain.successor is not None:
        result["rotated_to"] = chain.successor
    return result


@operation("sigchain.compare")
def sigchain_compare(args: Arguments) -> str:
    return compare_heads(Head(**args["known"]) if "known" in args else None, args["hashes"])


@operation("registration.check")
def registration_check(args: Arguments) -> dict[str, Any]:
    now = datetime.fromisoformat(args["now"]).timestamp()
    registration = check_registration(args["body"], args["server"], now)
    return {**asdict(registration), "created_at": registration.created_at * 1000}


@operation("transfer.check")
def transfer_check(args: Arguments) -> dict[str, Any]:
    now = datetime.fromisoformat(args["now"]).timestamp()
    return asdict(check_transfer(args["body"], args["server"], now))


@operation("record.verify")
def record_verify(args: Arguments) -> dict[str, str]:
    asked = args["asked"]
    handle, primary = verify_record(args["record"], asked["server"], asked.get("handle"), asked.get("primary"))
    return {"handle": handle, "primary": primary}


@operation("wellKnown.parse")
def well_known_parse(args: Arguments) -> dict[str, Any]:
    return parse_description(args["json"])


@operation("namedHost.check")
def named_host_check(args: Arguments) -> str | None:
    return check_named_host(args["home"], args["host"])
