"""Addresses that a home server may name (registration.md, KEZ-REG-031 to KEZ-REG-034)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from ada_url import URL

from ..errors import KezError

AddressClass = Literal["loopback", "private", "shared", "link_local", "unusable", "special", "public"]

_V4: list[tuple[AddressClass, list[IPv4Network]]] = [
    ("loopback", [IPv4Network("127.0.0.0/8")]),
    ("private", [IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16")]),
    ("shared", [IPv4Network("100.64.0.0/10")]),
    ("link_local", [IPv4Network("169.254.0.0/16")]),
    ("unusable", [IPv4Network("0.0.0.0/8"), IPv4Network("224.0.0.0/3")]),
    (
        "special",
        [
            IPv4Network("192.0.0.0/24"),
            IPv4Network("192.0.2.0/24"),
            IPv4Network("192.88.99.0/24"),
            IPv4Network("198.18.0.0/15"),
            IPv4Network("198.51.100.0/24"),
            IPv4Network("203.0.113.0/24"),
        ],
    ),
]
_V6: list[tuple[AddressClass, list[IPv6Network]]] = [
    ("loopback", [IPv6Network("::1/128")]),
    ("unusable", [IPv6Network("::/96"), IPv6Network("ff00::/8")]),
    ("private", [IPv6Network("fc00::/7"), IPv6Network("fec0::/10"), IPv6Network("64:ff9b:1::/48")]),
    ("link_local", [IPv6Network("fe80::/10")]),
    ("special", [IPv6Network("2001::/23"), IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20")]),
    ("public", [IPv6Network("2000::/3")]),
    ("special", [IPv6Network("::/0")]),
]
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")

_PRIVATE_NAMES = ("local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa")


def class_of_address(address: IPv4Address | IPv6Address) -> AddressClass:
    if isinstance(address, IPv6Address):
        number = int(address)
        if address in _MAPPED or address in _NAT64:
            return class_of_address(IPv4Address(number & 0xFFFF_FFFF))
        if address in _6TO4:
            return class_of_address(IPv4Address(number >> 80 & 0xFFFF_FFFF))
        return next(name for name, networks in _V6 if any(address in network for network in networks))
    return next((name for name, networks in _V4 if any(address in network for network in networks)), "public")


def class_of_host(host: str) -> AddressClass | None:
    """The class of a URL's host; None for a name whose addresses decide."""
    name = _normal_host(host).removesuffix(".")
    try:
        return class_of_address(ip_address(name.strip("[]")))
    except ValueError:
        pass
    if _is_under(name, "localhost"):
        return "loopback"
    if "." not in name or any(_is_under(name, parent) for parent in _PRIVATE_NAMES):
        return "private"
    return None


def check_named_host(home: AddressClass, host: str) -> AddressClass | None:
    """The class of a host that a home server names, if a client that reached it at `home` may connect there."""
    found = class_of_host(host)
    if found is None or found == "public":
        return found
    if found == "unusable" or home not in ("loopback", found):
        raise KezError("address_forbidden", f"a home at a {home} address names a {found} one")
    return found


def _is_under(name: str, parent: str) -> bool:
    return name == parent or name.endswith("." + parent)


def _normal_host(host: str) -> str:
    """The host as the URL standard writes it: every spelling of an address becomes that address."""
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    try:
        url = URL(f"http://{host}/")
    except ValueError as error:
        raise KezError("address_forbidden", "not a host") from error
    if url.href != f"http://{url.hostname}/" or url.hostname == ".":
        raise KezError("address_forbidden", "more than a host")
    return url.hostname
