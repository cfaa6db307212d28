"""Tickets of iroh-blobs (files.md, KEZ-FIL-008, -012 and -013)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from ada_url import URL

from ..crypto import ed25519
from ..errors import KezError
from .varint import Reader, write_varint

_PREFIX = "blob"

SocketAddress = tuple[IPv4Address | IPv6Address, int]


@dataclass(frozen=True)
class Ticket:
    """A blob, or with `hash_seq` a sequence of hashes, on the device of an endpoint."""

    endpoint: bytes
    hash: bytes
    hash_seq: bool = False
    relay: str | None = None
    addresses: tuple[SocketAddress, ...] = ()

    def __str__(self) -> str:
        return _PREFIX + base64.b32encode(self._bytes()).decode("ascii").rstrip("=").lower()

    def _bytes(self) -> bytes:
        relay = b"\0"
        if self.relay is not None:
            url = self.relay.encode("utf-8")
            relay = b"\1" + write_varint(len(url)) + url
        addresses = sorted(set(self.addresses), key=lambda address: (address[0].version, *map(int, address)))
        return b"".join(
            [
                b"\0",
                self.endpoint,
                relay,
                write_varint(len(addresses)),
                *(bytes([0 if ip.version == 4 else 1]) + ip.packed + write_varint(port) for ip, port in addresses),
                b"\1" if self.hash_seq else b"\0",
                self.hash,
            ]
        )


def parse_ticket(text: str) -> Ticket:
    """Parse a ticket that is written in its one form; `ticket_malformed` or `key_rejected`."""
    try:
        ticket = _parse(text)
    except ValueError as error:
        raise KezError("ticket_malformed", str(error)) from error
    if str(ticket) != text:
        raise KezError("ticket_malformed", "not the form in which this ticket is written")
    ed25519.admit(ticket.endpoint)
    return ticket


def check_shared_ticket(text: str, owner: bytes, blob_hash: str) -> Ticket:
    """Parse a ticket of an offer or entry; `ticket_mismatch` where it names another owner or blob (KEZ-FIL-008)."""
    ticket = parse_ticket(text)
    if ticket.endpoint != owner or "blake3:" + ticket.hash.hex() != blob_hash:
        raise KezError("ticket_mismatch", "another endpoint or blob")
    if ticket.hash_seq or ticket.addresses:
        raise KezError("ticket_mismatch", "a hash sequence, or direct addresses")
    return ticket


def _parse(text: str) -> Ticket:
    if not text.startswith(_PREFIX):
        raise ValueError("does not begin with blob")
    encoded = text.removeprefix(_PREFIX).upper()
    reader = Reader(base64.b32decode(encoded + "=" * (-len(encoded) % 8)))
    if reader.byte() != 0:
        raise ValueError("another variant")
    endpoint = reader.bytes(32)
    relay = _relay(reader) if _flag(reader) else None
    addresses = tuple(_address(reader) for _ in range(reader.varint(64)))
    hash_seq = _flag(reader)
    blob_hash = reader.bytes(32)
    if not reader.at_end:
        raise ValueError("bytes follow the ticket")
    return Ticket(endpoint, blob_hash, hash_seq, relay, addresses)


def _flag(reader: Reader) -> bool:
    value = reader.byte()
    if value > 1:
        raise ValueError("neither 0 nor 1")
    return value == 1


def _relay(reader: Reader) -> str:
    text = reader.bytes(reader.varint(64)).decode("utf-8")
    url = URL(text)
    if url.href != text or url.protocol not in ("http:", "https:"):
        raise ValueError("the relay's URL is not in its normal form")
    return text


def _address(reader: Reader) -> SocketAddress:
    ip = IPv6Address(reader.bytes(16)) if _flag(reader) else IPv4Address(reader.bytes(4))
    return ip, reader.varint(16)
