"""The operations of the conformance suite, as thin adapters around the package `kez`."""

from . import broker, files, identity, messages, statements
from .registry import OPERATIONS, Arguments

__all__ = ["OPERATIONS", "Arguments", "broker", "files", "identity", "messages", "statements"]
