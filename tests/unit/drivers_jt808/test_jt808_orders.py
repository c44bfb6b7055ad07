"""What people have a terminal do: the words that go out in each edition, and what is told of its answer."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.unit.drivers_jt808.scene import Scene, Vehicle

from safecity.drivers.jt808.saying import SAID, said
from safecity.kit.errors import ConflictError, InvalidError, RefusedError, SafecityError, UnavailableError
from safecity.model.facts.vehicle_calls import (
    ConfirmAlarms,
    LocateVehicle,
    LockVehicle,
    Order,
    RestartTerminal,
    SayTerminal,
    TellDriver,
    TerminalDid,
    TerminalSaid,
    TrackVehicle,
)
from safecity.protocols.jt808.commands import (
    AskParameters,
    Control,
    Parameter,
    ParametersAnswer,
    Switch,
    TextMessage,
    VehicleControl,
    VehicleControlAnswer,
)
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import BODIES, AnyBody, read_body
from safecity.protocols.jt808.positions import AskLocation, ConfirmAlarm, LocationAnswer, Track
from safecity.protocols.jt808.registration import Result, TerminalAnswer
from safecity.protocols.jt808.video import FileUploaded, UploadFile
from safecity.protocols.jt808.wire import Blob, Nested, Part

LOCKED = 1 << 12


async def given(scene: Scene, vehicle: Vehicle, order: Order) -> tuple[Awaitable[TerminalDid], AnyBody, int]:
    """An order on its way: who waits for it, what the terminal heard, and under which serial number."""
    waiting = asyncio.ensure_future(scene.platform.give(order))
    await asyncio.sleep(0)
    (heard,) = vehicle.heard()
    (serial,) = vehicle.link.session._waiting
    return waiting, heard, serial


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (TellDriver("dv_1", "请回站"), TextMessage(flag=0b00100, text="请回站")),
        (
            TellDriver("dv_1", "快", urgent=True, display=False, spoken=True, screen=True),
            TextMessage(flag=0b11001, text="快"),
        ),
        (TrackVehicle("dv_1", 5, 600), Track(interval_seconds=5, seconds=600)),
        (TrackVehicle("dv_1", 0, 600), Track(interval_seconds=0)),
        (RestartTerminal("dv_1"), Control(command=4)),
        (ConfirmAlarms("dv_1", 1), ConfirmAlarm(serial=0, alarms=1)),
    ],
)
async def test_an_order_is_done_when_the_terminal_says_so(scene: Scene, order: Order, expected: AnyBody) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, heard, serial = await given(scene, vehicle, order)
    assert heard == expected
    vehicle.say(TerminalAnswer(serial=serial, answered=expected.ID, result=Result.OK))
    assert await waiting == TerminalDid()
    assert len(scene.platform.orders) == 0


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result.FAILED, "terminal_failed"),
        (Result.BAD_MESSAGE, "terminal_misunderstood"),
        (Result.UNSUPPORTED, "terminal_unsupported"),
        (77, "terminal_failed"),
    ],
)
async def test_a_terminal_that_does_not_do_it_says_why(scene: Scene, result: int, code: str) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, heard, serial = await given(scene, vehicle, TellDriver("dv_1", "x"))
    vehicle.say(TerminalAnswer(serial=serial, answered=heard.ID, result=result))
    with pytest.raises(RefusedError) as refused:
        await waiting
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (Version.V2013, VehicleControl(flag=1)),
        (Version.V2019, VehicleControl(switches=(Switch(id=1, value=0),))),
    ],
)
async def test_doors_are_locked_when_the_terminal_shows_them_locked(
    scene: Scene, version: Version, expected: VehicleControl
) -> None:
    vehicle = Vehicle(scene, version=version)
    vehicle.come_in()
    waiting, heard, serial = await given(scene, vehicle, LockVehicle("dv_1", locked=True))
    assert heard == expected
    # Some say "yes" first: that is not the answer yet.
    vehicle.say(TerminalAnswer(serial=serial, answered=0x8500, result=Result.OK))
    await asyncio.sleep(0)
    assert not asyncio.ensure_future(waiting).done()
    vehicle.say(VehicleControlAnswer(serial=serial, location=vehicle.fix(status=2 | LOCKED)))
    assert await waiting == TerminalDid(locked=True, place=(121.47, 31.23))


async def test_doors_that_stay_as_they_were_are_told(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, _, serial = await given(scene, vehicle, LockVehicle("dv_1", locked=False))
    vehicle.say(VehicleControlAnswer(serial=serial, location=vehicle.fix(status=2 | LOCKED)))
    with pytest.raises(RefusedError) as refused:
        await waiting
    assert refused.value.code == "terminal_doors"


async def test_where_it_is_is_told_and_is_a_position_like_any_other(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, heard, serial = await given(scene, vehicle, LocateVehicle("dv_1"))
    assert heard == AskLocation()
    vehicle.say(LocationAnswer(serial=serial, location=vehicle.fix()))
    assert (await waiting).place == (121.47, 31.23)
    assert len(scene.events("position.received")) == 1


async def test_a_terminal_without_a_fix_is_nowhere_rather_than_in_the_sea(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, _, serial = await given(scene, vehicle, LocateVehicle("dv_1"))
    nowhere = vehicle.fix(status=0, latitude_micro=0, longitude_micro=0)
    vehicle.say(LocationAnswer(serial=serial, location=nowhere))
    assert (await waiting).place is None


async def failed(waiting: Awaitable[TerminalDid]) -> SafecityError:
    with pytest.raises(SafecityError) as error:
        await waiting
    return error.value


async def test_silence_a_broken_line_and_one_that_is_not_here_are_three_things(scene: Scene) -> None:
    absent = await failed(scene.platform.give(TellDriver("dv_1", "x")))
    assert (type(absent), absent.code) == (ConflictError, "device_offline")
    assert (await failed(scene.platform.give(TellDriver("dv_2", "x")))).code == "device_offline"
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, _, _ = await given(scene, vehicle, TellDriver("dv_1", "x"))
    scene.pass_time(16)
    silent = await failed(waiting)
    assert (type(silent), silent.code) == (UnavailableError, "terminal_no_answer")
    waiting, _, _ = await given(scene, vehicle, TellDriver("dv_1", "x"))
    vehicle.link.connection_lost(None)
    assert (await failed(waiting)).code == "terminal_lost"


async def test_a_text_that_no_terminal_could_show_is_not_sent(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    with pytest.raises(InvalidError) as error:
        await scene.platform.give(TellDriver("dv_1", "长" * 501))
    assert error.value.code == "too_long"
    assert vehicle.heard() == []


# --- messages of the standard as they stand there ----------------------------------------------------------------


def sample(kind: type[Part]) -> dict[str, Any]:
    """A value for each field."""
    plain: dict[str, Any] = {"Number": 1, "Digits": "01", "Fixed": "a", "Text": "a", "Many": []}
    kinds = {one.name: one.metadata["wire"].kind for one in dataclasses.fields(kind) if "wire" in one.metadata}
    return {
        name: sample(each.of)
        if isinstance(each, Nested)
        else "0a" * max(1, each.size)
        if isinstance(each, Blob)
        else plain[type(each).__name__]
        for name, each in kinds.items()
    }  # fmt: skip


@pytest.mark.parametrize("message", sorted(SAID))
def test_whatever_may_be_said_is_written_by_the_names_of_its_fields_and_read_again(message: int) -> None:
    given = sample(BODIES[message])
    for version in Version:
        raw = said(SayTerminal("dv_1", message, given), version).write(version)
        assert read_body(message, raw, version).write(version) == raw


async def test_a_message_of_the_standard_is_answered_with_what_the_terminal_says(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting = asyncio.ensure_future(scene.platform.say(SayTerminal("dv_1", 0x8106, {"ids": [0x29]})))
    await asyncio.sleep(0)
    assert vehicle.heard() == [AskParameters(ids=(0x29,))]
    (serial,) = vehicle.link.session._waiting
    vehicle.say(ParametersAnswer(serial=serial, parameters=(Parameter(id=0x29, value=b"\0\0\0\x0a"),)))
    assert await waiting == TerminalSaid(
        0x0104, {"serial": serial, "parameters": [{"id": 0x29, "value": "0000000a"}]}
    )  # fmt: skip
    waiting = asyncio.ensure_future(scene.platform.say(SayTerminal("dv_1", 0x8203, {"serial": 0, "alarms": 1})))
    await asyncio.sleep(0)
    vehicle.heard()
    (serial,) = vehicle.link.session._waiting
    vehicle.say(TerminalAnswer(serial=serial, answered=0x8203, result=Result.OK))
    assert await waiting == TerminalSaid()


async def test_an_upload_is_ordered_and_that_it_is_done_is_told(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    fields = {
        "host": "10.0.0.5", "port": 21, "user": "bus", "password": "secret", "path": "/up", "channel": 1,
        "begins": "260101080000", "ends": "260101080500",
    }  # fmt: skip
    waiting = asyncio.ensure_future(scene.platform.say(SayTerminal("dv_1", 0x9206, fields)))
    await asyncio.sleep(0)
    (heard,) = vehicle.heard()
    assert isinstance(heard, UploadFile)
    assert (heard.host, heard.user, heard.ends) == ("10.0.0.5", "bus", "260101080500")
    (serial,) = vehicle.link.session._waiting
    vehicle.say(TerminalAnswer(serial=serial, answered=0x9206, result=Result.OK))
    assert await waiting == TerminalSaid()
    vehicle.say(FileUploaded(serial=serial, result=0, tail=bytes(100_000)))  # what belongs to nothing reaches nobody
    (event,) = scene.events("video.uploaded")
    assert event.body["fields"] == {"serial": serial, "result": 0}


@pytest.mark.parametrize(
    ("message", "fields", "code"),
    [
        (0x8105, {"command": 3}, "terminal_not_said"),
        (0x8A00, {}, "terminal_not_said"),
        (0x9999, {}, "terminal_not_said"),
        (0x8103, {"parameters": [{"id": 0x13, "value": "00"}]}, "terminal_out_of_reach"),
        (0x8103, {"parameters": [{"id": 0x29, "value": "00"}, {"id": 0x48, "value": "31"}]}, "terminal_listeners"),
        (0x8103, {"parameters": [{"id": 0x29, "value": "xx"}]}, "terminal_field"),
        (0x8103, {"parameters": [{"id": 0x29}]}, "terminal_field"),
        (0x8203, {"serial": 0}, "terminal_field"),
        (0x8203, {"serial": True, "alarms": 1}, "terminal_field"),
        (0x8203, {"serial": 0, "alarms": 1 << 32}, "terminal_field"),
        (0x8203, {"serial": 0, "alarms": 1, "more": 1}, "terminal_field"),
    ],
)
async def test_what_is_not_said_like_this_never_reaches_a_terminal(
    scene: Scene, message: int, fields: dict[str, Any], code: str
) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    with pytest.raises(SafecityError) as refused:
        await scene.platform.say(SayTerminal("dv_1", message, fields))
    assert refused.value.code == code
    assert vehicle.heard() == []
