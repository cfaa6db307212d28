"""Looking hosts up, and checking every address that is found (registration.md, KEZ-REG-031 to KEZ-REG-034)."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from ada_url import URL

from ..errors import KezError
from ..statements.hosts import AddressClass, check_named_host, class_of_address, class_of_host
from . import Unreachable

Address: TypeAlias = IPv4Address | IPv6Address

_LOOPBACK: list[Address] = [IPv4Address("127.0.0.1"), IPv6Address("::1")]
_PORTS = {"http": 80, "https": 443, "nats": 4222, "tls": 4222}


@dataclass(frozen=True)
class Place:
    """A URL, taken apart, with the addresses at which its host may be reached."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: list[Address]

    @property
    def authority(self) -> str:
        """Host and port, as HTTP writes them."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return all(class_of_address(address) == "loopback" for address in self.addresses)


async def find(url: str, home: AddressClass | None = None) -> Place:
    """Look the host of a URL up, once.

    `home` is the class of the address of the home server that names the URL, None for the home's own URL. Raises
    `address_forbidden`, or `Unreachable` where there is no address.
    """
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    parsed = URL("http://" + rest)
    host = parsed.hostname
    if home is not None:
        check_named_host(home, host)
    addresses = await _look_up(host)
    if home is not None:
        for address in addresses:
            check_named_host(home, str(address))
    # The URL standard drops the port of `http`, under which the host was read.
    explicit = parsed.port or ("80" if _names_port_80(rest) else "")
    place = Place(url, scheme, host, int(explicit) if explicit else _PORTS[scheme], addresses)
    if scheme == "http" and not place.is_loopback:
        raise KezError("address_forbidden", "plain HTTP is for loopback addresses only")
    return place


async def _look_up(host: str) -> list[Address]:
    try:
        return [ip_address(host.strip("[]"))]
    except ValueError:
        pass
    if class_of_host(host) == "loopback":
        return _LOOPBACK
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"no address of {host}") from error
    return [ip_address(entry[4][0]) for entry in found if "%" not in str(entry[4][0])]


def _names_port_80(rest: str) -> bool:
    return rest.split("/", 1)[0].split("?", 1)[0].endswith(":80")
