"""A library that was told of a hit which is none is asked to delete the notification, until it has answered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.web.test_web_watches import client_of, follow, hits
from tests.unit.web.test_web_watches_answers import PASSWORD, PLACE, City, a_city
from tests.unit.web.test_web_watches_library import GATE, NUMBER

from safecity.core.ground.images import outbox, subscribers
from safecity.core.ground.images.api import Address
from safecity.kit.clock import rfc3339
from safecity.kit.errors import UnavailableError
from safecity.links.http_post import exchange


@pytest.fixture
async def city(house: Any, admin: Any) -> City:
    return await a_city(house, admin)


async def told_of(city: City, number: int = 1) -> tuple[str, str]:
    """What passed, and the number of the notification that arrived."""
    name = await city.passes(number, PassTime=f"2023111506{13 + number}20")
    assert await city.told() == 1
    return name, city.asking.got[-1][1]["NotificationID"]


async def test_what_the_camera_takes_back_is_deleted_there_over_a_real_connection(admin: Any, city: City) -> None:
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def there(address: Address, headers: dict[str, str]) -> tuple[int, bytes]:
        assert address.place == PLACE
        here = replace(address, host="127.0.0.1", port=port)
        answer = await exchange("DELETE", here, b"", headers, refuse=lambda _: False)
        return answer.status, answer.body

    city.again(delete=there)
    watch = await city.asked()
    name, number = await told_of(city)
    await city.take_back(name)
    async with server:
        assert await city.told() == 1
        assert await city.told() == 0
    assert heads[0].splitlines()[0] == f"DELETE /VIID/DispositionNotifications?IDList={number} HTTP/1.1"
    assert (await city.figures(watch), await city.recalled(watch)) == ((1, 0, 0), (1, 0))
    (line,) = [one for one in (await admin.ok("GET", "audit"))["items"] if one["details"].get("recalled")]
    assert (line["details"]["recalled"], line["details"]["told"]) == (number, PLACE)


async def test_a_library_like_ours_forgets_what_was_taken_back(city: City) -> None:
    await city.asked()
    name, number = await told_of(city)
    notice = {"DispositionNotificationListObject": {"DispositionNotificationObject": [city.asking.got[0][1]]}}
    await city.library.send("DispositionNotifications", notice)
    await city.take_back(name)
    assert await city.told() == 1
    path = city.asking.deleted[0].removeprefix(f"{PLACE}/VIID/")
    assert path == f"DispositionNotifications?IDList={number}"
    assert (await city.library.ask("DELETE", path)).status_code == 200
    left = (await city.library.ask("GET", "DispositionNotifications")).json()
    assert left["DispositionNotificationListObject"]["DispositionNotificationObject"] == []


async def test_what_was_reported_to_be_another_vehicle_is_taken_back_and_what_was_caught_is_not(city: City) -> None:
    watch = await city.asked()
    await told_of(city, 1)
    _, number = await told_of(city, 2)
    await city.admin.ok("POST", "users", {"username": "officer", "password": PASSWORD, "roles": ["operator"]})
    officer = await client_of(city.house, "officer")
    second, first = await hits(officer)
    for hit, result in ((first, "caught"), (second, "not_it")):
        await officer.ok("POST", f"hits/{hit['id']}/sign")
        await officer.ok("POST", f"hits/{hit['id']}/report", {"result": result, "report": "looked"})
    assert await city.told() == 1
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={number}"]
    assert await city.recalled(watch) == (1, 0)


async def test_a_watch_that_was_withdrawn_here_leaves_its_hits_true_and_says_that_it_is_over(city: City) -> None:
    watch = await city.asked()

    async def status() -> int:
        found = (await city.library.ask("GET", f"Dispositions/{NUMBER}")).json()
        return found["DispositionObject"]["DispositionStatus"]

    await told_of(city)
    assert await status() == 0
    await city.chief.ok("POST", f"watches/{watch}/withdraw", {"reason": "found"})
    assert await city.told() == 0
    assert city.asking.deleted == []
    assert await status() == 1


async def test_what_turns_out_wrong_after_the_watch_has_ended_is_taken_back_all_the_same(city: City) -> None:
    watch = await city.asked(EndTime="20231115064000")
    name, number = await told_of(city)
    city.house.clock.advance(3600)
    while await city.house.services.watch_duties.step():
        pass
    city.chief = await client_of(city.house, "chief")
    assert (await city.chief.ok("GET", f"watches/{watch}"))["state"] == "expired"
    await city.camera.register()
    await city.take_back(name)
    assert await city.told() == 1
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={number}"]


async def test_a_library_that_is_away_is_asked_again_under_the_same_number_also_by_a_new_process(city: City) -> None:
    watch = await city.asked()
    name, number = await told_of(city)
    await city.take_back(name)
    city.asking.answer = UnavailableError("away")
    assert await city.told() == 0
    assert await city.told() == 0
    assert len(city.asking.deleted) == 1, "it waits, and does not hammer"
    city.asking.answer = (200, b"")
    city.again()
    city.house.clock.advance(10)
    assert await city.told() == 1
    assert set(city.asking.deleted) == {f"{PLACE}/VIID/DispositionNotifications?IDList={number}"}
    assert await city.recalled(watch) == (1, 0)


@pytest.mark.parametrize("answer", [(405, b""), (404, b""), (200, b'{"ResponseStatusObject":{"StatusCode":4}}')])
async def test_a_library_that_deletes_nothing_is_asked_once_and_that_is_shown(
    answer: tuple[int, bytes], city: City
) -> None:
    watch = await city.asked()
    name, _ = await told_of(city)
    await city.take_back(name)
    city.asking.answer = answer
    for _ in range(3):
        await city.told()
        city.house.clock.advance(400)
    assert len(city.asking.deleted) == 1
    assert await city.recalled(watch) == (0, 1)
    city.asking.answer = (200, b"")
    await told_of(city, 2)


@pytest.mark.parametrize("answer", [(200, b""), UnavailableError("away")], ids=["it arrived", "it may have arrived"])
async def test_what_is_taken_back_while_it_is_on_its_way_is_deleted_there_too(
    answer: tuple[int, bytes] | Exception, admin: Any, city: City
) -> None:
    watch = await city.asked()
    names: list[str] = []

    async def corrected_meanwhile(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        await city.asking(address, body, headers)
        await city.take_back(names[0])
        if isinstance(answer, Exception):
            raise answer
        return answer

    city.again(corrected_meanwhile)
    names.append(await city.passes(1))
    await city.told()
    city.house.clock.advance(10)
    await city.told()
    number = city.asking.got[0][1]["NotificationID"]
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={number}"]
    arrived = 0 if isinstance(answer, Exception) else 1
    assert (await city.figures(watch), await city.recalled(watch)) == ((arrived, 0, 0), (1, 0))
    logged = (await admin.ok("GET", "audit"))["items"]
    assert [one["details"]["recalled"] for one in logged if one["details"].get("recalled")] == [number]


async def test_what_is_taken_back_just_before_it_is_tried_again_is_deleted_and_not_forgotten(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await city.asked()
    city.asking.answer = UnavailableError("away")
    name = await city.passes(1)
    assert await city.told() == 0
    city.asking.answer = (200, b"")
    city.house.clock.advance(10)
    found = await city.house.services.database.read(lambda tx: outbox.due(tx, city.house.clock.now_us()))
    await city.take_back(name)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "due", lambda _tx, _now: found)
        assert await city.notifier.step() == 0
    assert await city.told() == 1
    assert len(city.asking.deleted) == 1
    assert (await city.figures(watch), await city.recalled(watch)) == ((0, 0, 0), (1, 0))


@pytest.mark.parametrize("answer", [(403, b""), (500, b""), (200, b'{"ResponseStatusObject":{"StatusCode":1}}')])
async def test_a_library_that_will_not_delete_is_told_what_comes_all_the_same(
    answer: tuple[int, bytes], city: City
) -> None:
    """What is hit next may be a child that is looked for."""

    async def unwilling(address: Address, headers: dict[str, str]) -> tuple[int, bytes]:
        await city.asking.delete(address, headers)
        return answer

    city.again(delete=unwilling)
    await city.asked()
    name, _ = await told_of(city)
    await city.take_back(name)
    for number in (2, 3):
        await city.told()
        seen = await city.passes(number, PassTime=f"2023111506{13 + number}20")
        await city.told()
        assert city.asking.met()[-1] == seen
        city.house.clock.advance(10)
    await city.told()
    assert len(city.asking.deleted) == 3, "and it is asked again"


@pytest.mark.parametrize(
    ("answer", "given_up"),
    [((500, b""), True), ((503, b""), False), ((200, b'{"ResponseStatusObject":{"StatusCode":2}}'), False)],
)
async def test_a_library_that_goes_on_to_refuse_is_given_up_after_an_hour_and_one_that_cannot_now_is_not(
    answer: tuple[int, bytes], given_up: bool, city: City
) -> None:
    """An hour of refusals, and not of silence before them."""
    watch = await city.asked()
    name, _ = await told_of(city)
    await city.take_back(name)

    async def pass_by(quarters: int) -> None:
        for _ in range(quarters):
            await city.told()
            city.house.clock.advance(901)

    city.asking.answer = UnavailableError("away")
    await pass_by(16)
    city.asking.answer, asked = answer, len(city.asking.deleted)
    await pass_by(3)
    assert await counted(city, watch) == (0, 0), "not by the first words of one that was away for hours"
    await pass_by(5)
    assert await counted(city, watch) == ((0, 1) if given_up else (0, 0))
    assert (len(city.asking.deleted) - asked == 5) is given_up
    city.asking.answer = (200, b"")
    await city.told()
    assert await counted(city, watch) == ((0, 1) if given_up else (1, 0))


@pytest.mark.parametrize(("sent", "recalled"), [(True, (1, 0)), (False, (0, 1))])
async def test_what_is_not_there_any_more_was_taken_back_by_the_asking_whose_answer_was_lost(
    sent: bool, recalled: tuple[int, int], city: City
) -> None:
    """But not where none had come there: then it is a library that offers no such thing."""
    watch = await city.asked()
    name, _ = await told_of(city)
    await city.take_back(name)
    city.asking.answer = UnavailableError("broke off", code="http_unreachable", params={"sent": True} if sent else None)
    await city.told()
    city.again()
    city.house.clock.advance(10)
    city.asking.answer = (404, b"")
    await city.told()
    assert await city.recalled(watch) == recalled
    assert (await city.telling(watch))["last_error"] == ("" if sent else "HTTP 404")


async def counted(city: City, watch: str) -> tuple[int, int]:
    """As `City.recalled`, also when all sessions are long over."""
    one = (await city.house.services.database.read(lambda tx: subscribers.of_watches(tx, [watch])))[watch]
    return one.recalled, one.not_recalled


async def audited(city: City) -> list[str]:
    """Numbers of notifications that were taken back, as the log has it."""
    lines = (await city.admin.ok("GET", "audit"))["items"]
    return [one["details"]["recalled"] for one in lines if one["details"].get("recalled")]


async def test_what_was_deleted_there_when_the_process_was_killed_is_taken_back_and_written_down_once(
    city: City,
) -> None:
    """Between the library's answer and our record of it; asked again, it has nothing of that number any more."""
    watch = await city.asked()
    name, number = await told_of(city)
    await city.take_back(name)

    async def killed(address: Address, headers: dict[str, str]) -> tuple[int, bytes]:
        await city.asking.delete(address, headers)
        raise asyncio.CancelledError

    city.again(delete=killed)
    with pytest.raises(asyncio.CancelledError):
        await city.told()
    city.again()
    city.asking.answer = (404, b"")
    await city.told()
    assert len(city.asking.deleted) == 2
    assert await city.recalled(watch) == (1, 0)
    assert (await city.telling(watch))["last_error"] == ""
    assert await audited(city) == [number]


@pytest.mark.parametrize(("arrived", "recalled"), [(False, (1, 0)), (True, (0, 1))])
async def test_what_never_arrived_needs_not_be_there_to_be_taken_back(
    arrived: bool, recalled: tuple[int, int], city: City
) -> None:
    """What arrived does: a library that has nothing of that number offers no such thing."""
    watch = await city.asked()
    names: list[str] = []

    async def corrected_meanwhile(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        await city.asking(address, body, headers)
        await city.take_back(names[0])
        if not arrived:
            raise UnavailableError("away")
        return 200, b""

    city.again(corrected_meanwhile)
    city.asking.answer = (404, b"")
    names.append(await city.passes(1))
    await city.told()
    city.house.clock.advance(10)
    await city.told()
    assert await city.recalled(watch) == recalled


async def test_a_hit_that_was_on_its_way_when_its_watch_ended_is_taken_back_as_well(city: City) -> None:
    """It may have arrived, though nobody said so; what never left is not asked about."""
    watch = await city.asked(EndTime="20231115064000")
    names = [await city.passes(1)]
    city.asking.answer = UnavailableError("no answer")
    await city.told()
    number = city.asking.got[0][1]["NotificationID"]
    names.append(await city.passes(2, PassTime="20231115061520"))
    city.house.clock.advance(3600)
    while await city.house.services.watch_duties.step():
        pass
    city.chief = await client_of(city.house, "chief")
    assert await city.figures(watch) == (0, 0, 2)
    await city.camera.register()
    for name in names:
        await city.take_back(name)
    city.asking.answer = (404, b"")
    assert await city.told() == 1
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={number}"]
    assert await city.recalled(watch) == (1, 0)


async def test_what_could_not_be_told_for_hours_is_taken_back_at_once_and_refused_for_an_hour_before_it_is_given_up(
    city: City,
) -> None:
    """The tries of telling it are none of taking it back."""
    watch = await city.asked()
    city.asking.answer = UnavailableError("away")
    name = await city.passes(1)
    for _ in range(16):
        await city.told()
        city.house.clock.advance(901)
    await city.told()
    await city.admin.sign_in("root")
    await city.camera.register()
    await city.take_back(name)
    city.asking.answer = (500, b"")
    await city.told()
    assert len(city.asking.deleted) == 1, "not only after the pause that telling it had come to"
    assert await counted(city, watch) == (0, 0)
    assert len(await audited(city)) == 1
    for _ in range(8):
        city.house.clock.advance(901)
        await city.told()
    assert len(city.asking.deleted) == 9
    city.asking.answer = (200, b"")
    city.house.clock.advance(901)
    await city.told()
    assert await counted(city, watch) == (1, 0)


async def test_a_new_hit_looks_for_nothing_to_take_back(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs four questions, and most hits are new ones."""
    asked: list[str] = []
    recall = outbox.recall_hit

    def counted(tx: Any, hit: str, now: int) -> None:
        asked.append(hit)
        recall(tx, hit, now)

    monkeypatch.setattr(outbox, "recall_hit", counted)
    await city.asked()
    name, _ = await told_of(city)
    assert asked == []
    await city.take_back(name)
    assert len(asked) == 1


async def reader_says(city: City, plate: str) -> None:
    """Another source saw the same vehicle, and read it better: the passage stays, its plate is another one."""
    one = {"tollgate": GATE, "reference": "r", "source": "camera", "at": rfc3339(city.house.clock.now_us())}
    items = [{**one, "plate": plate, "confidence": 0.99, "lane": 1}]
    (filed,) = (await city.admin.ok("POST", "sightings", {"items": items}))["items"]
    assert filed["outcome"] == "fused"
    await follow(city.house)


async def test_a_hit_that_is_another_plate_now_is_told_anew_and_the_one_before_taken_back(city: City) -> None:
    """Both fit what is watched for; the library must not go on to look for the wrong one."""
    watch = await city.asked(TargetFeature="皖A1?B45")
    await city.passes(1, plate="皖A1BB45", PlateReliability="60")
    assert await city.told() == 1
    first = city.asking.got[0][1]["NotificationID"]
    await reader_says(city, "皖A18B45")
    assert await city.told() == 2
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={first}"]
    assert [notice["MotorVehicleObject"]["PlateNo"][-5:] for _, notice in city.asking.got] == ["1BB45", "18B45"]
    assert city.asking.got[1][1]["NotificationID"] != first
    assert (await city.figures(watch), await city.recalled(watch)) == ((2, 0, 0), (1, 0))


async def test_a_hit_that_may_have_arrived_with_another_plate_is_taken_back_and_not_forgotten(city: City) -> None:
    """A library knows a notification by its number: under that one it would keep the plate that it heard first."""
    watch = await city.asked(TargetFeature="皖A1?B45")
    city.asking.answer = UnavailableError("no answer")
    await city.passes(1, plate="皖A1BB45", PlateReliability="60")
    await city.told()
    first = city.asking.got[0][1]["NotificationID"]
    await reader_says(city, "皖A18B45")
    city.asking.answer = (200, b"")
    city.house.clock.advance(10)
    await city.told()
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={first}"]
    said = city.asking.got[-1][1]
    assert (said["MotorVehicleObject"]["PlateNo"][-5:], said["NotificationID"] == first) == ("18B45", False)
    assert (await city.figures(watch), await city.recalled(watch)) == ((1, 0, 0), (1, 0))


async def test_a_vehicle_that_is_seen_again_after_all_is_told_anew_after_it_was_taken_back(city: City) -> None:
    await city.asked()
    name, number = await told_of(city)
    await city.passes(1, PassTime="20231115061420", plate="皖A00000")  # the camera corrects itself
    await city.passes(1, PassTime="20231115061420", plate="皖A12B45")  # and again
    assert await city.told() == 2
    assert city.asking.deleted == [f"{PLACE}/VIID/DispositionNotifications?IDList={number}"]
    assert city.asking.met() == [name, name]
    assert city.asking.got[1][1]["NotificationID"] != number


async def test_a_library_that_was_locked_out_meanwhile_is_not_asked(city: City) -> None:
    watch = await city.asked()
    name, _ = await told_of(city)
    (library,) = [one for one in (await city.admin.ok("GET", "devices"))["items"] if one["code"] == city.library.code]
    await city.admin.ok("PATCH", f"devices/{library['id']}", {"enabled": False})
    await city.take_back(name)
    assert await city.told() == 0
    assert city.asking.deleted == []
    assert await city.recalled(watch) == (0, 1)


@pytest.mark.parametrize("change", ["locked out", "moved"])
async def test_what_waits_for_a_library_that_may_not_be_told_is_counted_for_what_it_is(change: str, city: City) -> None:
    watch = await city.asked()
    name, _ = await told_of(city)
    city.asking.answer = UnavailableError("away")
    await city.passes(2, PassTime="20231115061520")
    await city.take_back(name)
    away = await city.admin.ok("POST", "areas", {"name": "another city", "code": "3403"})
    (library,) = [one for one in (await city.admin.ok("GET", "devices"))["items"] if one["code"] == city.library.code]
    changed = {"enabled": False} if change == "locked out" else {"area": away["id"]}
    assert await city.told() == 0
    await city.admin.ok("PATCH", f"devices/{library['id']}", changed)
    for _ in range(3):
        await city.told()
        city.house.clock.advance(10)
    assert (await city.figures(watch), await city.recalled(watch)) == ((1, 0, 1), (0, 1))
