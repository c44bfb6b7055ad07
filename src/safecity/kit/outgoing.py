"""Where the platform may be sent by what others say: never to services of its own machine or network fabric."""

from __future__ import annotations

import ipaddress
from typing import Final

METADATA: Final = frozenset({"100.100.100.200", "168.63.129.16", "fd00:ec2::254"})
"""Of cloud providers, where they do not use a link-local address."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def may_reach(address: str, *, allow_loopback: bool = False) -> bool:
    """False for link-local (cloud metadata lives there), multicast, unspecified, reserved and metadata addresses.

    Private addresses are where cameras and other platforms live. On loopback live the machine's own services, and the
    cameras of the demo city and of tests: whoever runs those allows it.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _inside(ip)
    if ip.is_loopback:
        return allow_loopback
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved or str(ip) in METADATA)


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 one stands for, however it is wrapped."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
