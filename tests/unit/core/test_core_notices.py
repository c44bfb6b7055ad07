"""What a device tells of changes among its channels is applied in its order, and reads the device once for many."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.database import SqlDatabase, open_database
from safecity.core.ground.channels import api as channels
from safecity.core.ground.channels import store as channels_store
from safecity.core.ground.devices import store as devices_store
from safecity.core.ground.devices.decide import Device, DeviceKind
from safecity.core.ground.intake.api import Effects, Intake
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event

NOW = 1_790_000_000_000_000
DEVICE = Device(id=fresh("dv"), kind=DeviceKind.GB28181, name="Recorder", code="34020000001180000001")
TEMPLATE = channels.Channel(id="", device=DEVICE.id, code="", name="", slot="")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    made = open_database(f"sqlite:///{tmp_path}/control.db")

    def add(tx: Any) -> None:
        devices_store.add(tx, DEVICE, None)
        for number in range(3):
            one = replace(TEMPLATE, id=fresh("ch"), code=code(number), name=f"camera {number}", slot="media-0")
            channels_store.add(tx, one)

    await made.write(add)
    yield made
    await made.close()


def code(number: int) -> str:
    return f"3402000000131{number:07d}"


def item(number: int, change: str, **more: Any) -> dict[str, Any]:
    return {"code": code(number), "name": f"camera {number}", "change": change, **more}


async def tell(database: SqlDatabase, *items: dict[str, Any]) -> dict[str, channels.Channel]:
    event = Event(
        kind="catalog.changed", subject=DEVICE.id, at=NOW, seen=NOW, body={"device": DEVICE.id, "items": list(items)}
    )
    intake = Intake(lambda tx, device: TEMPLATE, ("media-0",))

    def work(tx: Any) -> dict[str, channels.Channel]:
        intake.apply(tx, event, Effects())
        return {one.code: one for one in channels.of_device(tx, DEVICE.id)}

    return await database.write(work)


async def test_changes_are_applied_in_the_order_in_which_they_were_told(database: SqlDatabase) -> None:
    known = await tell(
        database, item(0, "OFF"), item(1, "OFF"), item(0, "ON"), item(2, "DEL"), item(2, "ADD"), item(7, "ADD"),
        item(7, "OFF"), item(1, "UPDATE", name="renamed"),
    )  # fmt: skip
    assert {one.code: (one.announced, one.present) for one in known.values()} == {
        code(0): ("ON", True), code(1): ("OFF", True), code(2): ("ON", True), code(7): ("OFF", True),
    }  # fmt: skip
    assert known[code(1)].name == "renamed"
    assert known[code(7)].slot == "media-0"


async def test_one_channel_twice_beside_itself_ends_as_the_last_word_says(database: SqlDatabase) -> None:
    known = await tell(database, item(0, "UPDATE", name="first"), item(0, "UPDATE", name="second", ptz_type=1))
    assert (known[code(0)].name, known[code(0)].ptz) == ("second", True)


async def test_many_changes_of_one_kind_read_the_device_once(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = channels.of_device
    monkeypatch.setattr(channels, "of_device", lambda tx, device: (reads.append(device), read(tx, device))[1])
    known = await tell(database, *(item(number, "ADD") for number in range(3, 60)))
    assert len(known) == 60
    assert len(reads) == 2, "once to apply, once by this test"
