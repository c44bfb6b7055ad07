"""The RTSP driver's test of an address, for the application: which addresses may be tried at all."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict

from safecity.drivers.rtsp import probe as driver
from safecity.web.services import Probed


def may_dial(address: str) -> bool:
    """Cameras live on private networks, and the simulated one on loopback; never on the addresses that cloud machines
    give to their own metadata service, nor on multicast or reserved ones."""
    parsed = ipaddress.ip_address(address.split("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return not (parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified or parsed.is_reserved)


async def probe(url: str, username: str, password: str) -> Probed:
    """Open it, wait for the first picture, close it."""
    found = await driver.probe(url, username, password, policy=may_dial)
    data = asdict(found)
    return Probed(ok=data["ok"], step=data["step"], params=data["params"], tracks=data["tracks"])
