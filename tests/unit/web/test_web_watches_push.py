"""The alarm of a hit is pushed to its seats, and to nobody else who sits in front of the same city."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.unit.web.test_web_events_socket import dial, hear, port
from tests.unit.web.test_web_watches import city, client_of, follow, hits, in_force, moment, passes

__all__ = ["city", "port"]


def is_alarm(message: dict[str, Any]) -> bool:
    return message.get("event", {}).get("kind") == "alarm.changed"


async def heard(socket: Any) -> list[str]:
    """Kinds that were pushed until a mark that everybody hears."""
    kinds: list[str] = []
    async with asyncio.timeout(60):
        while True:
            message = json.loads(await socket.recv())
            kinds.append(message.get("event", {}).get("kind", message["type"]))
            if kinds[-1] == "area.changed":
                return kinds


@pytest.mark.usefixtures("city")
async def test_a_hit_is_pushed_to_its_seats_alone(house: Any, admin: Any, city: dict[str, Any], port: int) -> None:
    await in_force(house, city)
    people = {name: await client_of(house, name) for name in ("officer", "colleague", "stranger")}
    async with (
        dial(port, people["officer"]) as officer, dial(port, people["colleague"]) as colleague,
        dial(port, people["stranger"]) as stranger, dial(port, admin) as root,
    ):  # fmt: skip
        await passes(house, admin)
        alarm = (await hear(officer, is_alarm))["event"]["subject"]
        (hit,) = await hits(people["officer"])
        assert hit["alarm"] == alarm
        house.services.hub.changed([("area", "")])
        for socket in (colleague, stranger, root):
            assert "alarm.changed" not in await heard(socket)
        await people["officer"].ok("POST", f"hits/{hit['id']}/sign")
        assert (await hear(officer, is_alarm))["event"]["subject"] == alarm


@pytest.mark.usefixtures("city")
async def test_a_hit_that_goes_on_to_others_is_pushed_to_them(
    house: Any, admin: Any, city: dict[str, Any], port: int
) -> None:
    await in_force(house, city, further=[f"user:{city['colleague']}"])
    colleague = await client_of(house, "colleague")
    async with dial(port, colleague) as socket:
        await passes(house, admin, at=moment(house))
        house.services.hub.changed([("area", "")])
        assert "alarm.changed" not in await heard(socket)
        house.clock.advance(301)
        await house.services.watch_duties.step()
        assert (await hear(socket, is_alarm))["event"]["subject"].startswith("al_")
        await follow(house)
