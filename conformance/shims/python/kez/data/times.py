"""Times (KEZ-CAN-003)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ..errors import KezError

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def parse_time(text: str) -> int:
    """Seconds since 1970 of an RFC 3339 time in UTC with whole seconds; else `timestamp_malformed`."""
    if not _TIME.fullmatch(text):
        raise KezError("timestamp_malformed", "not an RFC 3339 time in UTC")
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError as error:
        raise KezError("timestamp_malformed", str(error)) from error
    if text[17:19] != f"{moment.second:02}":
        raise KezError("timestamp_malformed", "a leap second")
    return int(moment.replace(tzinfo=UTC).timestamp())
