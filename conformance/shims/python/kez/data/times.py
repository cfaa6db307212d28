"""Times (KEZ-CAN-003)."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from ..errors import KezError

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")


def parse_time(text: str) -> int:
    """Seconds since 1970 of an RFC 3339 time in UTC with whole seconds; else `timestamp_malformed`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise KezError("timestamp_malformed", "not an RFC 3339 time in UTC")
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise KezError("timestamp_malformed", str(error)) from error


def format_time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ahead = 0.0


def move_clock(seconds: float) -> None:
    """Have this process take it to be so many seconds later than the machine does."""
    global _ahead
    _ahead += seconds


def now_seconds() -> float:
    """Seconds since 1970, by the clock that everything here goes by."""
    return time.time() + _ahead


def now_time() -> str:
    return format_time(now_seconds())
