"""Trees, answers and requests of blobs, tickets, encryption of files and manifests."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from blake3 import blake3

from kez.crypto import ed25519, x25519
from kez.data.text import b64u_decode, b64u_encode
from kez.files.blob import Blob, read_answer
from kez.files.chunks import read_request, write_request
from kez.files.encryption import decrypt_file, encrypt_file, unwrap_key, wrap_key
from kez.files.tickets import check_shared_ticket, parse_ticket
from kez.identity.primary import parse_account
from kez.manifests.manifest import Anchor, Known, Reader, hint, read_manifest, seal_entry

from .registry import Arguments, operation

SHOWN_IN_FULL = 700
"""Longer results are given by their hash."""


def _pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@lru_cache(maxsize=32)
def _pattern_blob(size: int) -> Blob:
    return Blob(_pattern(size))


def _shown(data: bytes) -> dict[str, Any]:
    if len(data) <= SHOWN_IN_FULL:
        return {"length": len(data), "hex": data.hex()}
    return {"length": len(data), "blake3": blake3(data).hexdigest()}


def _boundaries(args: Arguments) -> list[int]:
    return [int(boundary) for boundary in args["ranges"]]


@operation("blob.tree")
def blob_tree(args: Arguments) -> dict[str, Any]:
    blob = _pattern_blob(args["size"])
    return {"hash": blob.hash.hex(), "outboard": _shown(blob.outboard)}


@operation("blob.answer")
def blob_answer(args: Arguments) -> dict[str, Any]:
    return _shown(_pattern_blob(args["size"]).answer(_boundaries(args)))


@operation("blob.read")
def blob_read(args: Arguments) -> list[dict[str, Any]]:
    answer = bytes.fromhex(args["answer"])
    parts = read_answer(bytes.fromhex(args["hash"]), args["size"], _boundaries(args), answer)
    return [{"offset": part.offset, "bytes": part.data.hex()} for part in parts]


@operation("blob.request")
def blob_request(args: Arguments) -> str:
    return write_request(bytes.fromhex(args["hash"]), _boundaries(args)).hex()


@operation("blob.asked")
def blob_asked(args: Arguments) -> dict[str, Any]:
    asked = read_request(bytes.fromhex(args["request"]))
    return {"kind": asked.kind} if asked.listed is None else {"kind": asked.kind, "listed": asked.listed}


@operation("file.encrypt")
def file_encrypt(args: Arguments) -> dict[str, Any]:
    blob = encrypt_file(bytes.fromhex(args["key"]), _pattern(args["size"]))
    result = {"length": len(blob), "hash": "blake3:" + blake3(blob).hexdigest()}
    return {**result, "blob": blob.hex()} if len(blob) <= SHOWN_IN_FULL else result


@operation("file.decrypt")
def file_decrypt(args: Arguments) -> str:
    return decrypt_file(bytes.fromhex(args["key"]), args["size"], bytes.fromhex(args["blob"])).hex()


@operation("fileKey.wrap", takes_randomness=True)
def file_key_wrap(args: Arguments) -> str:
    blob_hash, key, ephemeral = (bytes.fromhex(args[name]) for name in ("blob_hash", "key", "ephemeral"))
    owner, reader = parse_account(args["owner"]), parse_account(args["reader"])
    return b64u_encode(wrap_key(owner, reader, blob_hash, key, ephemeral))


@operation("fileKey.unwrap")
def file_key_unwrap(args: Arguments) -> str:
    seed, blob_hash = bytes.fromhex(args["seed"]), bytes.fromhex(args["blob_hash"])
    return unwrap_key(seed, parse_account(args["owner"]), blob_hash, b64u_decode(args["wrapped"])).hex()


@operation("ticket.decode")
def ticket_decode(args: Arguments) -> dict[str, Any]:
    ticket = parse_ticket(args["ticket"])
    return {
        "endpoint": ticket.endpoint.hex(),
        "hash": ticket.hash.hex(),
        "format": "hashSeq" if ticket.hash_seq else "raw",
        "relay": ticket.relay,
        "addresses": [f"{ip}:{port}" if ip.version == 4 else f"[{ip}]:{port}" for ip, port in ticket.addresses],
    }


@operation("ticket.shared")
def ticket_shared(args: Arguments) -> str:
    return check_shared_ticket(args["ticket"], parse_account(args["owner"]), args["blob_hash"]).endpoint.hex()


@operation("manifest.hint")
def manifest_hint(args: Arguments) -> str:
    seed, reader = bytes.fromhex(args["seed"]), parse_account(args["reader"])
    secret = x25519.agree_accounts(seed, reader)
    return b64u_encode(hint(secret, ed25519.public_key(seed), reader, b64u_decode(args["id"])))


@operation("manifest.seal", takes_randomness=True)
def manifest_seal(args: Arguments) -> dict[str, Any]:
    seed, key, salt = (bytes.fromhex(args[name]) for name in ("seed", "key", "salt"))
    readers = [
        Reader(parse_account(primary), bytes.fromhex(ephemeral))
        for primary, ephemeral in zip(args["readers"], args["ephemerals"], strict=True)
    ]
    return seal_entry(seed, b64u_decode(args["id"]), args["file"], key, salt, readers)


@operation("manifest.read")
def manifest_read(args: Arguments) -> dict[str, Any]:
    anchor = Anchor(**args["anchor"]) if "anchor" in args else None
    known = Known(**args["known"]) if "known" in args else None
    manifest = read_manifest(bytes.fromhex(args["seed"]), args["owner"], anchor, b64u_decode(args["body"]), known)
    return {
        "revision": manifest.revision,
        "files": [{"id": shared.id, "name": shared.file["name"], "public": shared.public} for shared in manifest.files],
        "broken": [{"id": entry_id, "code": code} for entry_id, code in manifest.broken],
    }
