"""What an offer and an entry of a manifest say of a file (files.md, manifest.md)."""

from __future__ import annotations

from typing import Any

from ..data.strict_json import is_integer
from ..data.text import is_b64u, is_hash, is_text

MAX_THUMBNAIL_BYTES = 8_192
MAX_TICKET_LENGTH = 1_024
MAX_FOLDER_LENGTH = 1_024
MAX_FOLDER_PARTS = 16


def is_file_name(value: Any) -> bool:
    """Whether `value` is a name of a file: one path part of at most 255 characters."""
    return is_text(value, 1, 255) and _is_path_part(value)


def _is_path_part(value: str) -> bool:
    """Whether `value` is one part of a path without control characters, and no dot name."""
    return value not in ("", ".", "..") and not any(c in "/\\" or c < " " or c == "\x7f" for c in value)


def is_file_description(value: dict[str, Any], name: str) -> bool:
    """The members that an offer and an entry of a manifest have in common; `name` is that of the file's name."""
    return (
        is_file_name(value.get(name))
        and is_text(value.get("media_type"), 1, 127)
        and is_integer(value.get("size"))
        and is_hash(value.get("blob_hash"), "blake3")
        and is_text(value.get("ticket"), 0, MAX_TICKET_LENGTH)
        and ("thumbnail" not in value or is_b64u(value["thumbnail"], 1, MAX_THUMBNAIL_BYTES))
    )


def is_folder(value: Any) -> bool:
    """Whether `value` is a folder: 1 to 16 path parts, separated by `/`."""
    if not is_text(value, 1, MAX_FOLDER_LENGTH):
        return False
    parts = value.split("/")
    return len(parts) <= MAX_FOLDER_PARTS and all(_is_path_part(part) for part in parts)
