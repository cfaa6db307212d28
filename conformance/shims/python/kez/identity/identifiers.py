"""Identifiers of accounts on other systems, and their normal forms (identity.md)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ada_url import URL

from ..errors import KezError
from .handles import is_server
from .primary import parse_account, parse_npub

MAX_LENGTH = 512

_IDENTIFIER = re.compile(r"([a-z][a-z0-9]{0,31}):(.+)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_GITHUB = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,38}")
_AP_USER = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


def normalise_identifier(text: object) -> str:
    """The normal form by which identifiers are compared; `identifier_malformed` (KEZ-PRF-001, -002, -012)."""
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise _malformed("not a text of at most 512 characters")
    match = _IDENTIFIER.fullmatch(text)
    if match is None or any(_is_blank(character) for character in match[2]):
        raise _malformed("not system:id")
    system, identifier = match.groups()
    system = "ap" if system == "mastodon" else system
    form = _FORMS.get(system)
    return text if form is None else f"{system}:{form(identifier)}"


def _malformed(message: str) -> KezError:
    return KezError("identifier_malformed", message)


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")


def _github(text: str) -> str:
    name = text.removeprefix("@").lower()
    if not _GITHUB.fullmatch(name):
        raise _malformed("not a GitHub user name")
    return name


def _domain(text: str) -> str:
    if not is_server(text) or "." not in text:
        raise _malformed("not a domain of two or more labels")
    return text


def _dns(text: str) -> str:
    return _domain(text.lower().removesuffix("."))


def _web(text: str) -> str:
    if text.startswith("/"):
        raise _malformed("no host")
    try:
        url = URL(text if _SCHEME.match(text) else "https://" + text)
    except ValueError as error:
        raise _malformed("not a URL") from error
    if url.protocol != "https:" or url.username or url.password or "?" in text or "#" in text:
        raise _malformed("not an https URL without user, query and fragment")
    _domain(url.hostname)
    return url.href.rstrip("/")


def _nostr(text: str) -> str:
    try:
        parse_npub(text)
    except KezError as error:
        raise _malformed("not an npub") from error
    return text


def _bluesky(text: str) -> str:
    return _domain(text.removeprefix("@").lower())


def _ap(text: str) -> str:
    account = text.removeprefix("@").lower()
    user, _, host = account.partition("@")
    if not _AP_USER.fullmatch(user) or not is_server(host) or "." not in host:
        raise _malformed("not user@host")
    return account


def _ed25519(text: str) -> str:
    try:
        parse_account("ed25519:" + text)
    except KezError as error:
        raise _malformed("not an admissible key") from error
    return text


_FORMS: dict[str, Callable[[str], str]] = {
    "github": _github,
    "dns": _dns,
    "web": _web,
    "nostr": _nostr,
    "bluesky": _bluesky,
    "ap": _ap,
    "ed25519": _ed25519,
}
