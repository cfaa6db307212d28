"""Where operations register themselves by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

Arguments: TypeAlias = dict[str, Any]
Operation: TypeAlias = Callable[[Arguments], Any]

OPERATIONS: dict[str, Operation] = {}

_UNDER_TEST = os.environ.get("KEZ_CONFORMANCE") == "1"


def operation(name: str, *, takes_randomness: bool = False) -> Callable[[Operation], Operation]:
    """Register an operation; one that takes randomness as an argument exists for the suite only."""

    def register(function: Operation) -> Operation:
        if _UNDER_TEST or not takes_randomness:
            OPERATIONS[name] = function
        return function

    return register
