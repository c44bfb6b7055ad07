"""The page of ports says what answers and what does not."""

from __future__ import annotations

import asyncio

from safecity.web.ports_check import check_ports


async def test_every_port_is_looked_at_and_neighbours_are_told_as_one() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    open_port = server.sockets[0].getsockname()[1]
    found = await check_ports(open_port, open_port, open_port, [10_002, 10_000, 10_001, 10_007])
    assert [(one["name"], one["ok"]) for one in found[:3]] == [("http", True), ("media", True), ("sip", True)]
    video = [(one["protocol"], one["port"], one["last"]) for one in found if one["name"] == "rtp"]
    assert video == [(kind, *run) for kind in ("tcp", "udp") for run in ((10_000, 10_002), (10_007, 10_007))]
    (sip,) = [one for one in found if one["name"] == "sip" and one["protocol"] == "udp"]
    assert (sip["ok"], sip["code"]) == (False, "port_not_bound"), "the same number over UDP is another port"
    server.close()
    await server.wait_closed()
