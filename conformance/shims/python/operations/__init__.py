"""The operations of the conformance suite, as thin adapters around the package `kez`."""

from . import broker, client, files, identity, messages, statements
from .registry import OPERATIONS, Arguments

__all__ = ["OPERATIONS", "Arguments", "broker", "client", "files", "identity", "messages", "statements"]
