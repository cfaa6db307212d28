"""URLs as the WHATWG URL standard reads them, and those of endpoints, which are text."""

from __future__ import annotations

import re

from ada_url import URL

from ..data.text import WHITE_SPACE

MAX_LENGTH = 512

_SPACE = re.compile(f"[{WHITE_SPACE}]")


def parse_url(text: object, schemes: tuple[str, ...], max_length: int = MAX_LENGTH) -> URL | None:
    """The URL in `text`, if it has one of the schemes and a host; else None.

    `nats` and `tls` are no special schemes of the URL standard, which leaves hosts under such as they are. They
    are read like `http`, so that a host has one normal form whatever the scheme.
    """
    if not isinstance(text, str) or len(text) > max_length or _SPACE.search(text):
        return None
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in schemes:
        return None
    try:
        url = URL(("http" if scheme.lower() in ("nats", "tls") else scheme) + "://" + rest)
    except ValueError:
        return None
    return url if url.hostname else None


def is_url(text: object, *schemes: str) -> bool:
    """Whether `text` is a URL of at most 512 characters with one of the schemes, as text (KEZ-SIG-112)."""
    if not isinstance(text, str) or len(text) > MAX_LENGTH or _SPACE.search(text):
        return False
    scheme, separator, rest = text.partition("://")
    return separator != "" and scheme in schemes and rest != ""
