"""Forms of data, keys, words, names and safety numbers."""

from __future__ import annotations

from typing import Any

from kez.crypto import ed25519, x25519
from kez.data import strict_json
from kez.data.text import b64u_decode, b64u_encode, hex_decode
from kez.data.times import parse_time
from kez.identity.handles import parse_handle, parse_mention
from kez.identity.identifiers import normalise_identifier
from kez.identity.mnemonic import words_to_seed
from kez.identity.nkeys import format_nkey, parse_nkey
from kez.identity.primary import parse_account, parse_primary
from kez.identity.safety_number import parse_qr, safety_number

from .registry import Arguments, operation


@operation("json.parse")
def json_parse(args: Arguments) -> str:
    value = strict_json.parse(b64u_decode(args["json"]), args.get("max_bytes", 4096))
    return strict_json.canonical(value).decode("utf-8")


@operation("base64url.decode")
def base64url_decode(args: Arguments) -> str:
    return b64u_decode(args["text"]).hex()


@operation("hex.decode")
def hex_decode_operation(args: Arguments) -> str:
    return b64u_encode(hex_decode(args["text"]))


@operation("time.parse")
def time_parse(args: Arguments) -> int:
    return parse_time(args["time"]) * 1000


@operation("primary.parse")
def primary_parse(args: Arguments) -> dict[str, str]:
    primary = parse_primary(args["primary"])
    if primary.system == "nostr":
        return {"system": "nostr", "x": primary.key.hex()}
    return {
        "system": "ed25519",
        "ed25519": primary.key.hex(),
        "x25519": ed25519.x25519_image(primary.key).hex(),
        "nkey": format_nkey(primary.key),
    }


@operation("nkey.parse")
def nkey_parse(args: Arguments) -> str:
    return parse_nkey(args["nkey"]).hex()


@operation("signature.verify")
def signature_verify(args: Arguments) -> bool:
    key, message, signature = (bytes.fromhex(args[name]) for name in ("public_key", "message", "signature"))
    ed25519.verify(key, message, signature)
    return True


@operation("x25519.agree")
def x25519_agree(args: Arguments) -> str:
    return x25519.agree_accounts(bytes.fromhex(args["seed"]), parse_account(args["peer"])).hex()


@operation("x25519.agreeWithEphemeral")
def x25519_agree_with_ephemeral(args: Arguments) -> str:
    private = ed25519.x25519_private(bytes.fromhex(args["seed"]))
    return x25519.agree(private, bytes.fromhex(args["public_key"])).hex()


@operation("mnemonic.toSeed")
def mnemonic_to_seed(args: Arguments) -> dict[str, str]:
    seed = words_to_seed(args["words"])
    return {"seed": seed.hex(), "public_key": ed25519.public_key(seed).hex()}


@operation("handle.parse")
def handle_parse(args: Arguments) -> dict[str, str]:
    handle = parse_handle(args["handle"])
    return {"local": handle.local, "server": handle.server}


@operation("handle.parseMention")
def handle_parse_mention(args: Arguments) -> str:
    return str(parse_mention(args["text"], args["server"]))


@operation("identifier.parse")
def identifier_parse(args: Arguments) -> str:
    return normalise_identifier(args["identifier"])


@operation("safetyNumber.of")
def safety_number_of(args: Arguments) -> dict[str, Any]:
    number = safety_number(parse_account(args["a"]), parse_account(args["b"]))
    return {"digest": number.digest.hex(), "number": " ".join(number.groups), "qr": number.qr}


@operation("safetyNumber.parseQr")
def safety_number_parse_qr(args: Arguments) -> str:
    return parse_qr(args["qr"]).hex()
