"""Strict JSON and JCS (envelope.md, KEZ-CAN-005 to KEZ-CAN-013)."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeAlias

import rfc8785

from ..errors import KezError

Json: TypeAlias = Any
"""A parsed value: dict, list, str, int, bool or None. There are no other numbers than integers."""

MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1

# Strings are matched so that brackets inside them do not count; possessively, so that hostile text costs no more.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")


def parse(data: bytes, max_bytes: int) -> Json:
    """Parse exactly one JSON value of at most `max_bytes` bytes.

    Raises `too_large` or the `json_…` code of the rule that is broken.
    """
    if len(data) > max_bytes:
        raise KezError("too_large", f"more than {max_bytes} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise KezError("json_malformed", "not UTF-8") from error
    _check_depth(text)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_not_integer, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise KezError("json_malformed", error.msg) from error
    _check_strings(value)
    return value


def canonical(value: Json) -> bytes:
    """JCS, the RFC 8785 serialisation (KEZ-CAN-012)."""
    return rfc8785.dumps(value)


def is_integer(value: Json, least: int = 0, most: int = MAX_INTEGER) -> bool:
    """Whether `value` is an integer in the range; `True` and `False` are none."""
    return type(value) is int and least <= value <= most


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise KezError("json_depth", f"nested deeper than {MAX_DEPTH}")
        elif token in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise KezError("json_duplicate_name", "a member is named twice")
    if "__proto__" in members:
        raise KezError("json_string", "a member named __proto__")
    return members


def _integer(text: str) -> int:
    if text == "-0" or not _INTEGER.fullmatch(text) or abs(int(text)) > MAX_INTEGER:
        raise KezError("json_number", "not an integer in the allowed range")
    return int(text)


def _not_integer(_: str) -> NoReturn:
    raise KezError("json_number", "a fraction or an exponent")


def _constant(name: str) -> NoReturn:
    raise KezError("json_malformed", f"{name} is not JSON")


def _check_strings(value: Json) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise KezError("json_string", "a lone surrogate") from error
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_strings(name)
            _check_strings(item)
