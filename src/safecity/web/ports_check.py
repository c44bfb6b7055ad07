"""Whether our own ports answer on this machine. What a firewall does the first camera tells."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any


async def check_ports(http: int, media: int, sip: int, rtp: Sequence[int]) -> list[dict[str, Any]]:
    """name, port, last, protocol, ok, code for each; neighbours of `rtp` are one."""
    video = [("rtp", first, last) for first, last in _runs(rtp)]
    tcp = [("http", http, http), ("media", media, media), ("sip", sip, sip), *video]
    found = [
        {"name": name, "port": port, "last": last, "protocol": "tcp", **await _tcp(port)} for name, port, last in tcp
    ]
    bound = await asyncio.to_thread(_udp_ports)
    for name, port, last in (("sip", sip, sip), *video):
        missing = [p for p in range(port, last + 1) if p not in bound]
        code = "port_not_bound" if missing else ""
        found.append({"name": name, "port": port, "last": last, "protocol": "udp", "ok": not missing, "code": code})
    return found


def _runs(ports: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each row of neighbours."""
    runs: list[tuple[int, int]] = []
    for port in sorted(ports):
        if runs and port == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], port)
        else:
            runs.append((port, port))
    return runs


async def _tcp(port: int) -> dict[str, Any]:
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return {"ok": False, "code": "port_unreachable"}
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return {"ok": True, "code": ""}


def _udp_ports() -> set[int]:
    """Ports bound on this machine, as the kernel lists them."""
    ports: set[int] = set()
    for name in ("/proc/net/udp", "/proc/net/udp6"):
        with contextlib.suppress(OSError), open(name, encoding="ascii") as file:
            next(file, None)
            for line in file:
                with contextlib.suppress(ValueError, IndexError):
                    ports.add(int(line.split()[1].rpartition(":")[2], 16))
    return ports
