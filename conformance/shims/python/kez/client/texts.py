"""What a user is shown: sentences for messages without a text, and warnings about contacts."""

from __future__ import annotations

import unicodedata
from typing import Any

from .trust.contacts import Person

_IGNORABLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u3164\ufeff\uffa0"
_IGNORABLE_RANGES = (
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""Unicode's `Default_Ignorable_Code_Point`."""

_NAME_WARNINGS = {
    "offered": "The home server names another key for {handle}: {offered}. {origin} Compare safety numbers.",
    "gone": "The home server names nobody for {handle} any more.",
}
_CHAIN_WARNINGS = {
    "behind": "The sigchain of {handle} is shown up to {shown}, and was known up to {known}.",
    "rotated": "The sigchain of {handle} hands over to another key: {offered}. Compare safety numbers.",
    "forked": "Two sigchains of {handle} disagree: one is known up to {known}, another is shown up to {shown}.",
}
_ORIGINS = {
    "handed_over": "The pinned key hands over to it.",
    "unexplained": "Nothing of the pinned key explains it: this may be somebody else.",
}
_KEPT = " You keep the pinned key."


def text_of(body: dict[str, Any]) -> str:
    """What is shown of a message: its text, its fallback, or a sentence (KEZ-DM-020, KEZ-PRF-173)."""
    if body["type"] == "text":
        return str(body["text"])
    if body["type"] == "introduction":
        verb = "Takes back the introduction of" if "withdrawn" in body else "Introduces"
        return f"{verb} {body.get('handle', 'somebody')}: {body['primary']}"
    if "fallback" in body:
        return str(body["fallback"])
    if body["type"] == "file_share":
        return f"Shares the file {body['filename']}."
    return "This version cannot show this message."


def shows_nothing(text: str) -> bool:
    """Whether a text has nothing to see in it (KEZ-DM-036)."""
    return all(
        character.isspace()
        or unicodedata.category(character) == "Cc"
        or character in _IGNORABLE
        or any(first <= ord(character) <= last for first, last in _IGNORABLE_RANGES)
        for character in text
    )


def warning_of(person: Person) -> str | None:
    """What the user is told about the states of somebody's name and chain; both heads of a chain (KEZ-SIG-122)."""
    trust = person.trust
    name, chain = trust.name.removesuffix("_kept"), trust.chain.removesuffix("_kept")
    sentences = [_NAME_WARNINGS.get(name), _CHAIN_WARNINGS.get(chain)]
    if not any(sentences):
        return None
    shown, known = person.chain.shown, person.chain.named or person.chain.head
    values = {
        "handle": person.handle or person.primary,
        "offered": trust.offered.primary if trust.offered else "none",
        "origin": _ORIGINS[trust.offered.origin] if trust.offered else "",
        "shown": f"event {len(shown.hashes) - 1}, {shown.hashes[-1]}" if shown and shown.hashes else "nothing",
        "known": f"event {known.seq}, {known.hash}" if known else "nothing",
    }
    warning = " ".join(sentence.format(**values) for sentence in sentences if sentence)
    return warning + _KEPT if trust.is_kept else warning
