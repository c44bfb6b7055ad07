"""Which addresses a camera may have: not those that lead to services of the machine's own network fabric."""

from __future__ import annotations

import ipaddress


def camera_address(address: str, *, allow_loopback: bool = True) -> bool:
    """False for link-local (cloud metadata lives there), multicast, unspecified and reserved addresses.

    Private addresses are where cameras live; loopback is where the demo city lives.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        return allow_loopback
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)
