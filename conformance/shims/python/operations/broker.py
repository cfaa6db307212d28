"""Logins, requests, pages and positions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kez.broker.acceptance import verify_acceptance
from kez.broker.login import login_bytes, login_host, sign_login, subjects_of
from kez.broker.positions import Positions
from kez.broker.requests import decode_page, parse_block, parse_fetch, parse_trim
from kez.data.text import b64u_decode, b64u_encode
from kez.identity.primary import parse_account, parse_primary

from .registry import Arguments, operation


@operation("login.host")
def login_host_operation(args: Arguments) -> str:
    return login_host(args["url"])


@operation("login.sign")
def login_sign(args: Arguments) -> dict[str, str]:
    host, nonce = args["host"], args["nonce"]
    signature = sign_login(bytes.fromhex(args["seed"]), host, nonce)
    return {"bytes": b64u_encode(login_bytes(host, nonce)), "signature": b64u_encode(signature)}


@operation("subjects.of")
def subjects_of_operation(args: Arguments) -> dict[str, str]:
    return asdict(subjects_of(parse_account(args["primary"])))


@operation("fetch.parse")
def fetch_parse(args: Arguments) -> dict[str, Any]:
    return parse_fetch(b64u_decode(args["request"]))


@operation("trim.parse")
def trim_parse(args: Arguments) -> dict[str, Any]:
    return parse_trim(b64u_decode(args["request"]))


@operation("block.parse")
def block_parse(args: Arguments) -> dict[str, Any]:
    return parse_block(b64u_decode(args["request"]))


@operation("acceptance.verify")
def acceptance_verify(args: Arguments) -> dict[str, str]:
    frame, sig = b64u_decode(args["frame"]), b64u_decode(args["sig"])
    return verify_acceptance(args["server"], parse_primary(args["key"]), args["recipient"], frame, args["at"], sig)


@operation("page.decode")
def page_decode(args: Arguments) -> dict[str, Any]:
    page = decode_page(b64u_decode(args["page"]), bytes.fromhex(args["account"]), b64u_decode(args["n"]))
    return {
        "epoch": b64u_encode(page.epoch),
        "last_seq": page.last_seq,
        "pending": page.pending,
        "frames": [{**asdict(stored), "frame": b64u_encode(stored.frame)} for stored in page.frames],
    }


@operation("positions.trace")
def positions_trace(args: Arguments) -> list[dict[str, Any]]:
    positions = Positions()
    trace: list[dict[str, Any]] = []
    for step in args["steps"]:
        if "page" in step:
            page = step["page"]
            action = positions.see_page(
                page["epoch"], page["after"], dict.fromkeys(page["seqs"], b""), page["last_seq"]
            )
        else:
            live = step["live"]
            action = positions.see_live(live["subject"], live["seq"], live["last_seq_of_subject"])
        trace.append({"action": action, "positions": dict(positions.at), "fetch_after": positions.fetch_after})
    return trace
