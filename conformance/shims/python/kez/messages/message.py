"""Message envelopes: encryption, sealing and the steps of receiving (messages.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..crypto import ed25519, hpke, x25519
from ..data import strict_json
from ..data.strict_json import canonical, is_integer
from ..data.text import b64u_decode, b64u_encode, is_b64u, is_hash
from ..data.times import parse_time
from ..errors import KezError
from ..identity.primary import format_account, parse_account
from ..statements.envelope import read_envelope, sign_payload
from .body import parse_body
from .padding import pad, unpad

SUITE = "x25519-hkdf-sha256-chacha20poly1305"
MAX_FRAME_BYTES = 65_536
MIN_FRAME_BYTES = 50
# Version, encapsulated key and tag.
_FRAME_OVERHEAD = 1 + 32 + 16
CIPHERTEXT_BYTES = (52, 40_980)

_SEAL_INFO = b"kez.chat.seal/1"
_VERSION = b"\x01"

MAX_ADDRESS_SECONDS = 300
MAX_REQUEST_AGE_SECONDS = 86_400

Role = Literal["incoming", "sent", "note"]


@dataclass(frozen=True)
class MessageKeys:
    """The values from which a message's encryption follows."""

    shared_secret: bytes
    info: bytes
    okm: bytes

    @property
    def key(self) -> bytes:
        return self.okm[:32]

    @property
    def nonce(self) -> bytes:
        return self.okm[32:]


@dataclass(frozen=True)
class Header:
    """What an author gives to a message beside its body. `salt` is never used twice."""

    to: bytes
    id: str
    device: str
    seq: int
    created_at: str
    salt: bytes
    prev: str | None = None


@dataclass(frozen=True)
class Encrypted:
    """A signed envelope and the values on the way to it."""

    keys: MessageKeys
    aad: bytes
    plaintext: bytes
    ciphertext: bytes
    envelope: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """A message that has passed all steps of receiving."""

    role: Role
    peer: str
    payload: dict[str, Any]
    hash: str
    body: dict[str, Any]


def derive_keys(seed: bytes, peer: bytes, author: bytes, addressee: bytes, salt: bytes) -> MessageKeys:
    """The keys of a message between the account of `seed` and `peer` (KEZ-DM-006)."""
    secret = x25519.agree_accounts(seed, peer)
    info = b"kez.chat.message/1\0" + author + addressee
    return MessageKeys(secret, info, hpke.hkdf(secret, salt, info, 44))


def encrypt(seed: bytes, header: Header, body: bytes) -> Encrypted:
    """Encrypt the bytes of a body and sign the envelope."""
    plaintext = pad(body)
    author = ed25519.public_key(seed)
    keys = derive_keys(seed, header.to, author, header.to, header.salt)
    payload = {
        "type": "kez.chat.message",
        "version": 1,
        "id": header.id,
        "from": format_account(author),
        "to": format_account(header.to),
        "device": header.device,
        "created_at": header.created_at,
        "seq": header.seq,
        **({} if header.prev is None else {"prev": header.prev}),
        "suite": SUITE,
        "salt": b64u_encode(header.salt),
    }
    aad = canonical(payload)
    ciphertext = ChaCha20Poly1305(keys.key).encrypt(keys.nonce, plaintext, aad)
    envelope = sign_payload(seed, "chat_message", {**payload, "ciphertext": b64u_encode(ciphertext)})
    return Encrypted(keys, aad, plaintext, ciphertext, envelope)


def seal_aad(reader: bytes) -> bytes:
    return _VERSION + reader


def seal(envelope: bytes, reader: bytes, ephemeral: bytes | None = None) -> hpke.Sealed:
    """Seal the JCS form of an envelope to an account; its frame is `frame_of` the result (KEZ-DM-011, KEZ-DM-012)."""
    if _FRAME_OVERHEAD + len(envelope) > MAX_FRAME_BYTES:
        raise KezError("message_too_large", "its frame would have more than 65,536 bytes")
    return hpke.seal(ed25519.x25519_image(reader), _SEAL_INFO, seal_aad(reader), envelope, ephemeral)


def frame_of(sealed: hpke.Sealed) -> bytes:
    return _VERSION + sealed.enc + sealed.ciphertext


def open_frame(seed: bytes, frame: bytes) -> Message:
    """Take the steps of receiving in their order, up to the body (KEZ-SEQ-013)."""
    own = ed25519.public_key(seed)
    # 1. Open the frame.
    text = _unseal(seed, own, frame)
    # 2. and 3. Parse the envelope; kind, type, version and signer.
    envelope = read_envelope(strict_json.parse(text, MAX_FRAME_BYTES), "chat_message")
    # 4. Members.
    payload = envelope.payload
    _check_members(payload)
    author, addressee = parse_account(payload["from"]), parse_account(payload["to"])
    # 5. Signature.
    envelope.verify()
    # 6. Role.
    role, peer = _role(own, author, addressee)
    # 7. Decrypt and parse the body.
    keys = derive_keys(seed, peer, author, addressee, b64u_decode(payload["salt"]))
    aad = canonical({name: value for name, value in payload.items() if name != "ciphertext"})
    try:
        plaintext = ChaCha20Poly1305(keys.key).decrypt(keys.nonce, b64u_decode(payload["ciphertext"]), aad)
    except InvalidTag as error:
        raise KezError("message_undecryptable", "the tag does not verify") from error
    body = parse_body(unpad(plaintext), author)
    return Message(role, format_account(peer), payload, envelope.hash, body)


def _unseal(seed: bytes, own: bytes, frame: bytes) -> bytes:
    if not MIN_FRAME_BYTES <= len(frame) <= MAX_FRAME_BYTES or frame[:1] != _VERSION:
        raise KezError("frame_malformed", "another version, too short or too long")
    text = hpke.open_sealed(ed25519.x25519_private(seed), frame[1:33], _SEAL_INFO, seal_aad(own), frame[33:])
    if text is None:
        raise KezError("frame_unreadable", "the frame was not sealed for this key")
    return text


def _check_members(payload: dict[str, Any]) -> None:
    suite = payload.get("suite")
    if isinstance(suite, str) and suite != SUITE:
        raise KezError("suite_unsupported", "another suite")
    if (
        suite != SUITE
        or not is_b64u(payload.get("id"), 16)
        or not is_b64u(payload.get("device"), 16)
        or not is_b64u(payload.get("salt"), 32)
        or not is_b64u(payload.get("ciphertext"), *CIPHERTEXT_BYTES)
        or not is_integer(payload.get("seq"))
        or not isinstance(payload.get("created_at"), str)
        or not isinstance(payload.get("to"), str)
        or ("prev" in payload and not is_hash(payload["prev"], "sha256"))
    ):
        raise KezError("message_malformed", "not the members of a message")
    parse_time(payload["created_at"])


def _role(own: bytes, author: bytes, addressee: bytes) -> tuple[Role, bytes]:
    if author == own:
        return ("note" if addressee == own else "sent"), addressee
    if addressee == own:
        return "incoming", author
    raise KezError("message_misdirected", "neither to nor from this account")


def address_life(created_at: int, expires_at: int, stored: float, asked: float) -> float:
    """For how many more seconds the addresses of an `address` count (KEZ-SEQ-060, KEZ-SEQ-061).

    `stored` and `asked` are how many seconds ago the broker stored it and its nonce was asked with.
    """
    if asked > MAX_REQUEST_AGE_SECONDS:
        return 0
    return max(0, min(MAX_ADDRESS_SECONDS, expires_at - created_at) - stored)
