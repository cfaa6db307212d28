"""Handles (identity.md, KEZ-REG-001 to KEZ-REG-004)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import KezError

_LOCAL = re.compile(r"[a-z0-9][a-z0-9_-]{2,31}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Handle:
    local: str
    server: str

    def __str__(self) -> str:
        return f"{self.local}@{self.server}"


def is_local(value: object) -> bool:
    """Whether `value` is the local part of a handle."""
    return isinstance(value, str) and _LOCAL.fullmatch(value) is not None


def is_server(value: object) -> bool:
    """Whether `value` is the server part of a handle: a DNS name in lower case, and no IP address."""
    if not isinstance(value, str) or len(value) > 253:
        return False
    labels = value.split(".")
    return all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


def parse_handle(text: object) -> Handle:
    """Parse `local@server`; anything else is `handle_malformed`."""
    if isinstance(text, str):
        local, _, server = text.partition("@")
        if is_local(local) and is_server(server):
            return Handle(local, server)
    raise KezError("handle_malformed", "not a handle")


def parse_mention(text: str, own_server: str) -> Handle:
    """Parse what a person typed: a handle or its local part, with or without a leading `@` (KEZ-REG-003)."""
    text = text.removeprefix("@")
    return parse_handle(text if "@" in text else f"{text}@{own_server}")
