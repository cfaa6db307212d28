"""Bodies of messages (messages.md, files.md)."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from ..data import strict_json
from ..data.strict_json import is_integer
from ..data.text import is_b64u, is_hash, is_text
from ..data.times import parse_time
from ..errors import KezError
from ..files.description import is_file_description
from ..files.tickets import check_shared_ticket
from ..identity.handles import parse_handle
from ..identity.primary import parse_account, parse_primary
from ..statements.urls import is_url
from .padding import MAX_BODY_BYTES

MAX_RECEIPT_IDS = 128
MAX_BLOCK_ENTRIES = 256
MAX_ADDRESSES = 32


def parse_body(data: bytes, author: bytes) -> dict[str, Any]:
    """Parse and check the body of a message by `author`.

    Raises the `json_…` codes, `message_malformed`, and the codes of tickets for a `file_share`. Bodies of other types
    are kept as they are.
    """
    body = strict_json.parse(data, MAX_BODY_BYTES)
    if strict_json.canonical(body) != data:
        raise KezError("message_malformed", "not the canonical form")
    if not isinstance(body, dict) or not is_text(body.get("type"), 1, 64):
        raise KezError("message_malformed", "not an object with a type")
    chain = body.get("chain")
    if not isinstance(chain, dict) or not is_integer(chain.get("seq")) or not is_hash(chain.get("hash"), "sha256"):
        raise KezError("message_malformed", "without the head of its author's chain")
    if not isinstance(body.get("fallback", ""), str):
        raise KezError("message_malformed", "a fallback that is no text")
    check = _CHECKS.get(body["type"])
    if check is not None and not check(body):
        raise KezError("message_malformed", f"not the members of a {body['type']}")
    if body["type"] == "address":
        parse_time(body["expires_at"])
    if body["type"] == "file_share":
        check_shared_ticket(body["ticket"], author, body["blob_hash"])
    return body


def _is_receipt(body: dict[str, Any]) -> bool:
    ids = body.get("ids")
    return (
        body.get("status") in ("delivered", "read")
        and isinstance(ids, list)
        and 1 <= len(ids) <= MAX_RECEIPT_IDS
        and all(is_b64u(item, 16) for item in ids)
    )


def _is_file_share(body: dict[str, Any]) -> bool:
    return (
        is_file_description(body, "filename")
        and is_b64u(body.get("wrapped_content_key"), 80)
        and is_b64u(body.get("self_wrapped_content_key"), 80)
    )


def _is_address(body: dict[str, Any]) -> bool:
    addresses = body.get("addrs")
    return (
        is_b64u(body.get("nonce"), 16)
        and isinstance(addresses, list)
        and len(addresses) <= MAX_ADDRESSES
        and all(_is_socket_address(address) for address in addresses)
        and ("relay_url" not in body or is_url(body["relay_url"], "http", "https"))
        and isinstance(body.get("expires_at"), str)
    )


def _is_socket_address(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    host, _, port = value.rpartition(":")
    try:
        if host.startswith("[") and host.endswith("]") and "%" not in host:
            IPv6Address(host[1:-1])
        else:
            IPv4Address(host)
    except ValueError:
        return False
    return port.isascii() and port.isdigit() and str(int(port)) == port and int(port) < 2**16


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_time(value) is not None
    except KezError:
        return False


def _is_block_list(body: dict[str, Any]) -> bool:
    entries = body.get("entries")
    return (
        isinstance(entries, list)
        and 1 <= len(entries) <= MAX_BLOCK_ENTRIES
        and all(
            isinstance(entry, dict)
            and _is_primary(entry.get("who"))
            and isinstance(entry.get("blocked"), bool)
            and is_integer(entry.get("rev"), 1)
            for entry in entries
        )
    )


def _is_primary(value: Any) -> bool:
    try:
        parse_primary(value)
    except KezError:
        return False
    return True


def _is_introduction(body: dict[str, Any]) -> bool:
    try:
        parse_account(body.get("primary"))
        if "handle" in body:
            parse_handle(body["handle"])
    except KezError:
        return False
    return body.get("withdrawn", True) is True


_CHECKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "text": lambda body: isinstance(body.get("text"), str) and body["text"] != "",
    "receipt": _is_receipt,
    "file_share": _is_file_share,
    "address_request": lambda body: is_b64u(body.get("nonce"), 16),
    "address": _is_address,
    "block_list": _is_block_list,
    "device_position": lambda body: is_b64u(body.get("epoch"), 16) and is_integer(body.get("up_to")),
    "introduction": _is_introduction,
}
