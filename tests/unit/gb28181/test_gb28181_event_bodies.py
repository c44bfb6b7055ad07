"""What signal says of devices, held against the golden events: nothing that consumers may read is ever left out."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from safecity.model.facts.media_calls import StreamState
from safecity.model.values.media import Quality
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.manscdp import write_body
from safecity.protocols.gb28181.notices import AlarmNotify, CatalogNotify, MobilePositionNotify

from .conftest import CAMERA, CODE

VECTORS = runpy.run_path(str(Path(__file__).resolve().parents[2] / "vectors" / "events" / "test_vectors_events.py"))


async def a_device_lives(bench: Any) -> None:
    """It is refused, comes, is described, alarms, moves, refuses a stream, and goes."""
    stranger = await bench.device(password="wrong")
    await stranger.register()
    device = await bench.device()
    device.on["INVITE"] = lambda incoming: incoming.respond(486)
    await device.register()
    await bench.until_event("device.described")
    await bench.until_event("catalog.received")
    await device.send(AlarmNotify(sn=1, device_id=CAMERA, alarm_priority="1", alarm_method="5", alarm_type="2"))
    await device.send(MobilePositionNotify(sn=2, device_id=CODE, longitude=118.3, latitude=31.2, speed=36.0))
    changed = CatalogNotify(sn=3, device_id=CODE, sum_num=1, device_list=(CatalogItem(device_id=CAMERA, event="OFF"),))
    await device.endpoint.request(device.request("NOTIFY", write_body(changed)), device.flow)
    for number, kind in enumerate(("UploadSnapShotFinished", "DeviceUpgradeResult", "VideoUploadNotify")):
        await device.send(
            f"<?xml version='1.0'?><Notify><CmdType>{kind}</CmdType><SN>{number}</SN>"
            f"<DeviceID>{CAMERA}</DeviceID><SessionID>a-1</SessionID></Notify>".encode()
        )
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "opening", True))
    await bench.until_event("stream.open_failed")
    await device.register(0)
    await bench.until_event("device.went_offline")


async def test_signal_still_says_all_that_it_said(bench: Any) -> None:
    await a_device_lives(bench)
    said = {event.kind: event for event in bench.events()}
    of_slots = {event.kind for event in VECTORS["said_by_slots"]()}
    assert set(said) == {path.name.split(".v")[0] for path in VECTORS["GOLDEN"]} - of_slots - VECTORS["SAID_BY_CONTROL"]
    for kind, event in said.items():
        old, new = VECTORS["shape"](VECTORS["golden"](kind)["body"]), VECTORS["shape"](event.body)
        assert VECTORS["keeps"](old, new), f"{kind}: {event.body}"
