"""The one exception of this package."""

from __future__ import annotations


class KezError(Exception):
    """An input that the protocol refuses.

    `code` is a code of the error table (registration.md), or `zero_shared_secret`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code
