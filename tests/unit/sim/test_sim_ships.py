"""Simulated ships: they sail as ships do, and a listener takes them for ships."""

from __future__ import annotations

import asyncio
import itertools

from safecity.protocols.ais.checks import can_reach
from safecity.protocols.ais.messages import ClassAPosition, ClassBName, ClassBPosition, StaticAndVoyage
from safecity.protocols.ais.stream import Feed, Heard
from safecity.sim.ships import FIRST_MMSI, Harbour, ShipLoad, ships


def heard(harbour: Harbour, until: int) -> list[tuple[int, object]]:
    feed, found = Feed(), []
    for at in range(until):
        for lines in harbour.due(float(at), at % 60):
            found += [(at, one.message) for one in feed.feed(lines, 0.0) if isinstance(one, Heard)]
    return found


def test_each_tells_where_it_is_each_few_seconds_and_now_and_then_who_it_is() -> None:
    harbour = Harbour(ShipLoad(host="", port=0, count=8, report_seconds=10))
    found = heard(harbour, 400)
    positions = [(at, one) for at, one in found if isinstance(one, ClassAPosition | ClassBPosition)]
    names = [one for _, one in found if isinstance(one, StaticAndVoyage | ClassBName)]
    assert len(positions) == 8 * 40
    assert {one.mmsi for _, one in positions} == {FIRST_MMSI + number for number in range(8)}
    assert sorted(one.name for one in names) == sorted(f"SIM {number:04d}" for number in range(8) for _ in range(2))
    for mmsi in {one.mmsi for _, one in positions}:
        own = [(at, one) for at, one in positions if one.mmsi == mmsi]
        for (before, start), (after, end) in itertools.pairwise(own):
            assert start.longitude is not None
            assert start.latitude is not None
            assert end.longitude is not None
            assert end.latitude is not None
            places = (start.longitude, start.latitude), (end.longitude, end.latitude)
            assert can_reach(*places, after - before)
            assert places[0] != places[1]
        assert all(one.speed is not None and 0 < one.speed < 17 for _, one in own)


async def test_they_are_heard_over_a_connection() -> None:
    came = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        feed = Feed()
        found: list[object] = []
        while len(found) < 2:
            found += feed.feed(await reader.read(4096), 0.0)
        came.set_result(found)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    sailing = asyncio.create_task(ships(ShipLoad(host="127.0.0.1", port=server.sockets[0].getsockname()[1], count=1)))
    found = await came
    assert [type(one.message) for one in found if isinstance(one, Heard)] == [ClassAPosition, StaticAndVoyage]
    sailing.cancel()
    await asyncio.gather(sailing, return_exceptions=True)
    server.close()
