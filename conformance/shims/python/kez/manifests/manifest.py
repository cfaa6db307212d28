"""Manifests: the entries of shared files, and the steps of a reader (manifest.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..crypto import ed25519, hpke, x25519
from ..data import strict_json
from ..data.strict_json import canonical, is_integer
from ..data.text import b64u_decode, b64u_encode, is_b64u, is_hash
from ..data.times import parse_time
from ..errors import KezError
from ..files.description import is_file_description, is_folder
from ..files.tickets import check_shared_ticket
from ..identity.primary import parse_account
from ..messages.padding import pad, unpad
from ..statements.envelope import MAX_MANIFEST_BYTES, read_envelope

MAX_READERS = 1_024

_KEY_INFO = b"kez.manifest.key/1"
_HINT_INFO = b"kez.manifest.hint/1\0"
_ENTRY_INFO = b"kez.manifest.entry/1\0"


@dataclass(frozen=True)
class Anchor:
    """The last `set_shared_files` of the owner's chain."""

    manifest: str
    size: int
    revision: int | None = None


@dataclass(frozen=True)
class Known:
    """The highest revision that a reader has seen of an owner, with the hash of that manifest."""

    revision: int
    hash: str


@dataclass(frozen=True)
class SharedFile:
    id: str
    public: bool
    file: dict[str, Any]


@dataclass
class Manifest:
    """What a reader sees of a manifest. `broken` are codes by id, of entries for the reader that do not hold up."""

    revision: int
    hash: str
    files: list[SharedFile] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """A reader of an entry, with the ephemeral key of what is sealed to it; None draws one."""

    key: bytes
    ephemeral: bytes | None = None


def hint(shared_secret: bytes, owner: bytes, reader: bytes, entry_id: bytes) -> bytes:
    """The two bytes by which a reader finds its key; the secret is that of owner and reader."""
    return hpke.hkdf(shared_secret, entry_id, _HINT_INFO + owner + reader, 2)


def seal_entry(
    seed: bytes, entry_id: bytes, file: dict[str, Any], key: bytes, salt: bytes, readers: list[Reader]
) -> dict[str, Any]:
    """Seal a file of the owner `seed` to its readers. `key` and `salt` are random, and new for each entry."""
    owner = ed25519.public_key(seed)
    context = owner + entry_id
    keys = [(_seal_key(seed, owner, entry_id, key, reader)) for reader in readers]
    keys.sort(key=lambda sealed: b64u_decode(sealed["enc"]))
    cipher, nonce = _entry_cipher(key, salt, context)
    sealed = salt + cipher.encrypt(nonce, pad(canonical(file)), context)
    return {"id": b64u_encode(entry_id), "keys": keys, "sealed": b64u_encode(sealed)}


def read_manifest(seed: bytes, owner: str, anchor: Anchor | None, body: bytes, known: Known | None) -> Manifest:
    """Take the steps of a reader in their order (KEZ-MAN-010), and open what is for the account of `seed`."""
    # 1. Form.
    value = strict_json.parse(body, MAX_MANIFEST_BYTES)
    if canonical(value) != body:
        raise KezError("manifest_malformed", "not the canonical form")
    envelope = read_envelope(value, "shared_files")
    payload = envelope.payload
    _check_payload(payload)
    # 2. Signature.
    envelope.verify()
    if payload["primary"] != owner:
        raise KezError("manifest_mismatch", "the manifest of another owner")
    # 3. Anchor.
    manifest = Manifest(payload["revision"], "blake3:" + blake3(body).hexdigest())
    if not _holds(anchor, manifest, len(body), payload.get("anchored")):
        raise KezError("manifest_mismatch", "not the anchor, nor a manifest that follows it")
    # 4. Revision.
    if known is not None and manifest.revision < known.revision:
        raise KezError("manifest_rollback", f"revision {known.revision} was seen before")
    if known is not None and manifest.revision == known.revision and manifest.hash != known.hash:
        raise KezError("manifest_conflict", "another manifest of this revision was seen before")
    _open_entries(manifest, seed, parse_account(owner), payload["entries"])
    return manifest


def check_file(file: Any, owner: bytes) -> None:
    """Check the file of an entry; `manifest_malformed`, or a code of its ticket (KEZ-MAN-008)."""
    if (
        not isinstance(file, dict)
        or not is_file_description(file, "name")
        or not is_b64u(file.get("content_key"), 32)
        or not isinstance(file.get("shared_at"), str)
        or ("folder" in file and not is_folder(file["folder"]))
    ):
        raise KezError("manifest_malformed", "not the members of a file")
    parse_time(file["shared_at"])
    check_shared_ticket(file["ticket"], owner, file["blob_hash"])


def _holds(anchor: Anchor | None, manifest: Manifest, size: int, anchored: str | None) -> bool:
    if anchor is None:
        return anchored is None
    if manifest.hash == anchor.manifest and size == anchor.size:
        return anchor.revision is None or manifest.revision == anchor.revision
    return anchored == anchor.manifest and (anchor.revision is None or manifest.revision > anchor.revision)


def _check_payload(payload: dict[str, Any]) -> None:
    entries = payload.get("entries")
    if (
        not is_integer(payload.get("revision"))
        or not isinstance(payload.get("created_at"), str)
        or ("anchored" in payload and not is_hash(payload["anchored"], "blake3"))
        or not isinstance(entries, list)
        or not all(_is_entry(entry) for entry in entries)
        or len({entry["id"] for entry in entries}) != len(entries)
    ):
        raise KezError("manifest_malformed", "not the members of a manifest")
    parse_account(payload["primary"])
    parse_time(payload["created_at"])


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not is_b64u(entry.get("id"), 16):
        return False
    if "public" in entry:
        return isinstance(entry["public"], dict) and "keys" not in entry and "sealed" not in entry
    keys = entry.get("keys")
    return (
        is_b64u(entry.get("sealed"), 84, 41_012)
        and isinstance(keys, list)
        and 1 <= len(keys) <= MAX_READERS
        and all(
            isinstance(key, dict)
            and is_b64u(key.get("hint"), 2)
            and is_b64u(key.get("enc"), 32)
            and is_b64u(key.get("ct"), 48)
            for key in keys
        )
    )


def _open_entries(manifest: Manifest, seed: bytes, owner: bytes, entries: list[dict[str, Any]]) -> None:
    reader = ed25519.public_key(seed)
    secret = x25519.agree_accounts(seed, owner)
    for entry in entries:
        is_public = "public" in entry
        try:
            file = entry["public"] if is_public else _open_entry(seed, secret, owner, reader, entry)
            if file is not None:
                check_file(file, owner)
                manifest.files.append(SharedFile(entry["id"], is_public, file))
        except KezError as error:
            manifest.broken.append((entry["id"], error.code))


def _open_entry(seed: bytes, secret: bytes, owner: bytes, reader: bytes, entry: dict[str, Any]) -> Any:
    """The file in a sealed entry; None where the account is no reader of it."""
    entry_id = b64u_decode(entry["id"])
    context = owner + entry_id
    own_hint = b64u_encode(hint(secret, owner, reader, entry_id))
    private = ed25519.x25519_private(seed)
    for sealed_key in entry["keys"]:
        if sealed_key["hint"] != own_hint:
            continue
        enc, ciphertext = b64u_decode(sealed_key["enc"]), b64u_decode(sealed_key["ct"])
        key = hpke.open_sealed(private, enc, _KEY_INFO, context + reader, ciphertext)
        if key is not None:
            return _open_file(key, b64u_decode(entry["sealed"]), context)
    return None


def _open_file(key: bytes, sealed: bytes, context: bytes) -> Any:
    cipher, nonce = _entry_cipher(key, sealed[:32], context)
    try:
        plaintext = cipher.decrypt(nonce, sealed[32:], context)
    except InvalidTag as error:
        raise KezError("manifest_malformed", "the entry does not open under its key") from error
    return strict_json.parse(unpad(plaintext), MAX_MANIFEST_BYTES)


def _seal_key(seed: bytes, owner: bytes, entry_id: bytes, key: bytes, reader: Reader) -> dict[str, str]:
    secret = x25519.agree_accounts(seed, reader.key)
    aad = owner + entry_id + reader.key
    sealed = hpke.seal(ed25519.x25519_image(reader.key), _KEY_INFO, aad, key, reader.ephemeral)
    return {
        "hint": b64u_encode(hint(secret, owner, reader.key, entry_id)),
        "enc": b64u_encode(sealed.enc),
        "ct": b64u_encode(sealed.ciphertext),
    }


def _entry_cipher(key: bytes, salt: bytes, context: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    okm = hpke.hkdf(key, salt, _ENTRY_INFO + context, 44)
    return ChaCha20Poly1305(okm[:32]), okm[32:]
