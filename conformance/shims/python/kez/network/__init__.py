"""HTTP and NATS as a client needs them, to addresses that were checked before."""

from __future__ import annotations

from ..errors import KezError


class Unreachable(KezError):
    """No answer, or one that is none of the protocol: a timeout, a redirect, a page, too much."""

    def __init__(self, message: str) -> None:
        super().__init__("unreachable", message)
