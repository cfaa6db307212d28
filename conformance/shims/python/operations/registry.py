"""Where operations register themselves by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Arguments: TypeAlias = dict[str, Any]
Operation: TypeAlias = Callable[[Arguments], Any]

OPERATIONS: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    def register(function: Operation) -> Operation:
        OPERATIONS[name] = function
        return function

    return register
