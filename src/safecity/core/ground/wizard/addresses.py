"""Which address cameras can reach us at: found on the interfaces, judged, tested."""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_SIOCGIFCONF = 0x8912
_IFREQ = 40


@dataclass(frozen=True, slots=True)
class Found:
    """An address of this machine. `kind` is `loopback`, `link_local`, `container`, `private` or `public`."""

    address: str
    interface: str
    kind: str
    proposed: bool = False


def judge(address: str, interface: str) -> str:
    """What an address is good for, by its range and the name of its interface."""
    parsed = ipaddress.ip_address(address)
    if parsed.is_loopback:
        return "loopback"
    if parsed.is_link_local:
        return "link_local"
    if interface.startswith(("docker", "br-", "veth", "virbr", "cni", "flannel", "podman")):
        return "container"
    return "private" if parsed.is_private else "public"


_RANK = {"private": 0, "public": 1, "container": 2, "link_local": 3, "loopback": 4}


def ranked(pairs: Sequence[tuple[str, str]]) -> list[Found]:
    """(interface, address) pairs, best first; the first is proposed. Cameras mostly share a private network."""
    found = [Found(address, interface, judge(address, interface)) for interface, address in pairs]
    found.sort(key=lambda f: (_RANK[f.kind], f.interface, f.address))
    return [Found(f.address, f.interface, f.kind, proposed=index == 0) for index, f in enumerate(found)]


def own_addresses() -> list[Found]:
    """The IPv4 addresses of this machine's interfaces that are up, best first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        buffer = array.array("B", bytes(_IFREQ * 256))
        request = struct.pack("iL", len(buffer), buffer.buffer_info()[0])
        with contextlib.suppress(OSError):
            length = struct.unpack("iL", fcntl.ioctl(probe.fileno(), _SIOCGIFCONF, request))[0]
            raw = buffer.tobytes()[:length]
            pairs: list[tuple[str, str]] = []
            for start in range(0, len(raw), _IFREQ):
                name = raw[start : start + 16].split(b"\0", 1)[0].decode("ascii", "replace")
                pairs.append((name, socket.inet_ntoa(raw[start + 20 : start + 24])))
            return ranked(pairs)
    return ranked([("lo", "127.0.0.1")])


@dataclass(frozen=True, slots=True)
class Tested:
    """`code` is empty when all ports answered, else `address_unresolved`, `address_invalid`, `port_unreachable`."""

    address: str
    ok: bool
    code: str = ""
    port: int = 0


async def try_address(host: str, ports: Sequence[int], *, timeout: float = 3.0) -> Tested:
    """Connect to ourselves the way a camera would: by `host` on each TCP port.

    It proves name, route and a listening port, not what a firewall between camera and us does; the first camera
    that registers proves that.
    """
    if not host or len(host) > 253:
        return Tested(host[:64], ok=False, code="address_invalid")
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            resolved = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return Tested(host, ok=False, code="address_unresolved")
    own = {found.address for found in own_addresses()}
    # Only ever our own machine: a wizard that dials what it is told would be a port scanner for others.
    targets = [str(entry[4][0]) for entry in resolved if str(entry[4][0]) in own]
    if not targets:
        return Tested(host, ok=False, code="address_not_ours")
    for port in ports:
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(targets[0], port)
        except (OSError, TimeoutError):
            return Tested(host, ok=False, code="port_unreachable", port=port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return Tested(host, ok=True)
