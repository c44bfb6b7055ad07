"""The simulated checkpoint camera against the real door: over a socket, with pictures, and through restarts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn
from tests.unit.web.viid_client import CAMERA, vehicle

from safecity.kit.errors import RefusedError, UnavailableError
from safecity.protocols.gat1400.envelope import write_list
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.server.demo import import_demo
from safecity.sim.city import CHECKPOINTS, CITY, new_manifest
from safecity.sim.gat1400.camera import TollgateCamera
from safecity.sim.gat1400.client import Login, ViidClient
from safecity.sim.manifest import Manifest, write_manifest

ONE = CHECKPOINTS[0]


@contextlib.asynccontextmanager
async def served(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    with contextlib.ExitStack() as stack:
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        task = asyncio.create_task(server.serve(sockets=[listening.dup()]))
        stack.callback(lambda: None)
        while not server.started:
            await asyncio.sleep(0)
        yield
        server.should_exit = True
        await task


@pytest.fixture
def listening() -> Any:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen(16)
        yield opened


async def test_the_checkpoint_of_the_demo_city_reports_what_passes(
    house: Any, admin: Any, listening: Any, tmp_path: Any
) -> None:
    manifest = new_manifest(CITY, platform_code="", rtsp_port=0)
    manifest = Manifest(
        devices=[one for one in manifest.devices if one.kind == "gat1400"], tollgates=manifest.tollgates
    )
    write_manifest(tmp_path / "demo" / "manifest.json", manifest)
    importing = asyncio.create_task(import_demo(tmp_path / "demo", house.services))
    while not (await admin.ok("GET", "tollgates"))["items"]:
        await asyncio.sleep(0)
    importing.cancel()
    login = Login(
        code=ONE.camera, password=manifest.devices[0].password, host="127.0.0.1", port=listening.getsockname()[1]
    )
    with ThreadPoolExecutor(1) as painter:
        camera = TollgateCamera(login, ONE.tollgate, seed=109, title="09", painter=painter, clock=house.clock)
        async with served(house.app, listening):
            await camera.client.register()
            camera.registered = True
            seen = 0
            while seen < 3:
                house.clock.advance(0.25)
                seen += await camera.look()
            await camera.report()
            await camera.stop()
    found = (await admin.ok("GET", "passages", params={"purpose": "traffic"}))["items"]
    assert len(found) == seen
    assert {one["tollgate_name"] for one in found} == {ONE.name}
    assert {one["pictures"] for one in found} == {2}
    shown = await admin.ask("GET", f"passages/{found[0]['id']}/pictures/0", params={"purpose": "traffic"})
    assert shown.content.startswith(b"\xff\xd8")
    await admin.ok("POST", "demo/remove")
    assert (await admin.ok("GET", "tollgates"))["items"] == []


async def test_what_was_sent_into_a_restart_is_there_once(house: Any, admin: Any, listening: Any) -> None:
    made = await admin.ok("POST", "devices", {"kind": "gat1400", "code": CAMERA, "name": "camera"})
    login = Login(
        code=CAMERA, password=made["registration"]["password"], host="127.0.0.1", port=listening.getsockname()[1]
    )
    client = ViidClient(login)
    plates = [f"皖A{number:05d}" for number in range(0, 60_000, 3001)]
    for turn in range(4):
        async with served(house.app, listening):
            house.services.presence.hall = type(house.services.presence.hall)()  # nobody is remembered
            with pytest.raises((RefusedError, UnavailableError)):
                await client.send("MotorVehicles", write_list(BY_NAME["MotorVehicle"], []))
            await client.register()
            # It does not know which of them arrived before, and sends all it has.
            many = [
                vehicle(number, plate=plate, PassTime=f"202311150613{number:02d}")
                for number, plate in enumerate(plates[: 5 * (turn + 1)])
            ]
            told = await client.send("MotorVehicles", write_list(BY_NAME["MotorVehicle"], many))
            assert [code for _, code in told] == [0] * len(many)
            await client.close()
    found = (await admin.ok("GET", "passages", params={"purpose": "security"}))["items"]
    assert sorted(one["plate"] for one in found) == sorted(plates[:20])
    assert {one["sightings"] for one in found} == {1}
