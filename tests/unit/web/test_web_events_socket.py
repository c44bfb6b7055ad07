"""The event socket on a real server: foreign pages, what may be seen, coming back, and the end of a session."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
import websockets
from websockets.asyncio.client import ClientConnection, connect

from safecity.core.ground.access.throttle import Buckets
from safecity.web.hub import MAX_SOCKETS_OF_SESSION

CODE = "34020000001320000001"
PASSWORD = "correct horse battery"


@pytest.fixture
async def port(house: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(house.app, port=0, log_level="critical", lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    hub = asyncio.create_task(house.services.hub.run())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task
    hub.cancel()
    await asyncio.gather(hub, return_exceptions=True)


def dial(port: int, client: Any, origin: str = "", after: int = 0) -> Any:
    return connect(
        f"ws://127.0.0.1:{port}/api/v1/events?after={after}",
        subprotocols=["safecity.v1"],
        origin=origin or f"http://127.0.0.1:{port}",
        additional_headers={"Cookie": f"safecity={client.inner.cookies['safecity']}"},
    )


async def hear(socket: ClientConnection, wanted: Any) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            message = json.loads(await socket.recv())
            if wanted(message):
                return message


async def test_a_socket_from_a_foreign_page_is_refused(house: Any, admin: Any, port: int) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus):
        async with dial(port, admin, origin="http://evil.example"):
            pass


async def test_an_alarm_is_pushed_to_whoever_may_see_it_and_to_nobody_else(house: Any, admin: Any, port: int) -> None:
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "34"})
    other = await admin.ok("POST", "areas", {"name": "Fuzhou", "code": "35"})
    for name, where in (("near", area), ("far", other)):
        ask = {"username": name, "password": "correct horse battery", "roles": ["operator"], "areas": [where["id"]]}
        await admin.ok("POST", "users", ask)
    near, far = house.client(), house.client()
    await near.sign_in("near")
    await far.sign_in("far")
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "area": area["id"]})
    async with dial(port, near) as near_socket, dial(port, far) as far_socket:
        await asyncio.sleep(0.1)
        body = {"device": device["id"], "code": CODE, "priority": "1", "description": "<b>smoke</b>"}
        await house.publish("alarm.received", device["id"], body)
        pushed = await hear(near_socket, lambda m: m.get("event", {}).get("kind") == "alarm.received")
        assert pushed["event"]["body"]["description"] == "<b>smoke</b>"
        assert pushed["position"] > 0
        house.services.hub.push({"type": "end of test"})
        seen: list[dict[str, Any]] = []
        await hear(far_socket, lambda m: seen.append(m) or m["type"] == "end of test")
        assert [m for m in seen if "alarm" in json.dumps(m)] == []


async def test_who_comes_back_hears_what_was_missed(house: Any, admin: Any, port: int) -> None:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE})
    async with dial(port, admin) as socket:
        await house.online(device["id"], CODE)
        first = await hear(socket, lambda m: m.get("event", {}).get("kind") == "device.went_online")
    await house.publish("alarm.received", device["id"], {"device": device["id"], "code": CODE})
    async with dial(port, admin, after=first["position"]) as socket:
        missed = await hear(socket, lambda m: m.get("event", {}).get("kind") == "alarm.received")
        assert missed["position"] > first["position"]


async def test_the_socket_closes_with_its_session(house: Any, admin: Any, port: int) -> None:
    async with dial(port, admin) as socket:
        await asyncio.sleep(0.1)
        await admin.ok("DELETE", "session")
        async with asyncio.timeout(60):
            with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
                while True:
                    await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_one_session_holds_so_many_sockets_and_no_more_and_others_lose_nothing(
    house: Any, admin: Any, port: int
) -> None:
    await admin.ok("POST", "users", {"username": "other", "password": PASSWORD, "roles": ["operator"]})
    other = house.client()
    await other.sign_in("other")
    async with contextlib.AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(dial(port, admin)) for _ in range(MAX_SOCKETS_OF_SESSION)]
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with dial(port, admin):
                pass
        theirs = await stack.enter_async_context(dial(port, other))
        house.services.hub.push({"type": "told to all"})
        await hear(theirs, lambda m: m["type"] == "told to all")
        await tabs[0].close()
        while house.services.hub.full_for(admin.me["session"]):
            await asyncio.sleep(0)
        async with dial(port, admin) as again:
            house.services.hub.push({"type": "told again"})
            await hear(again, lambda m: m["type"] == "told again")


async def test_whoever_knocks_all_the_time_without_a_session_is_not_even_asked_who_it_is(
    house: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    monkeypatch.setattr("safecity.web.limits.Buckets", lambda burst, seconds: Buckets(burst=5, seconds=3600.0))
    who = house.services.access.who

    async def counted(*args: Any, **more: Any) -> Any:
        nonlocal asked
        asked += 1
        return await who(*args, **more)

    house.services.access.who = counted
    stranger = house.client()
    stranger.inner.cookies.set("safecity", "no session")
    for _ in range(20):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with dial(port, stranger):
                pass
    assert asked == 5
