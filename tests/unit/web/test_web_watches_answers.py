"""Who asked for a watch is told what it met: where a person allowed it, what it may see, until it has it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.web.test_web_viid_notices import subscribe
from tests.unit.web.test_web_watches import client_of, follow, hits
from tests.unit.web.test_web_watches_library import GATE, NUMBER, disposition, joined, listed, watches
from tests.unit.web.viid_client import CAMERA, LIBRARY, ViidClient, jpeg, vehicle, vehicles

from safecity.core.ground.images import subscribers
from safecity.core.ground.images.api import Address, Notifier
from safecity.core.upper.watches.api import met
from safecity.kit.clock import rfc3339
from safecity.kit.errors import UnavailableError
from safecity.links.http_post import exchange

PLACE = "10.0.0.6:8200"
ADDRESS = f"http://{PLACE}/VIID/DispositionNotifications"
PASSWORD = "correct horse battery"


class Asking:
    """The library that asked: remembers what it is told, and answers what a test wants."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.answer: tuple[int, bytes] | Exception = (200, b'{"ResponseStatusObject":{"StatusCode":0}}')
        self.deleted: list[str] = []

    async def __call__(self, address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        (notice,) = json.loads(body)["DispositionNotificationListObject"]["DispositionNotificationObject"]
        self.got.append((f"{address.place}{address.target}", notice))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def delete(self, address: Address, headers: dict[str, str]) -> tuple[int, bytes]:
        assert len(headers["User-Identify"]) == 20
        self.deleted.append(f"{address.place}{address.target}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def met(self) -> list[str]:
        return [notice["CntObjectID"] for _, notice in self.got]


class City:
    """A checkpoint with a camera, a library that asks, a chief who approves."""

    def __init__(self, house: Any, admin: Any) -> None:
        self.house, self.admin, self.asking = house, admin, Asking()
        self.library: ViidClient = None  # type: ignore[assignment]
        self.camera: ViidClient = None  # type: ignore[assignment]
        self.chief: Any = None
        self.area = ""
        self.again()

    def again(self, post: Any = None, delete: Any = None) -> Notifier:
        """A process that begins anew finds all of it in the database."""
        here = self.house.services
        self.notifier = Notifier(
            here.database, here.blobs, self.house.clock, here.settings, post or self.asking, met,
            delete or self.asking.delete,
        )  # fmt: skip
        return self.notifier

    async def told(self) -> int:
        told = 0
        while arrived := await self.notifier.step():
            told += arrived
        return told

    async def asked(self, **more: Any) -> str:
        """A watch that the library asked for, and the chief approved."""
        wish = disposition(**{"ReceiveAddr": ADDRESS, **more})
        assert [code for _, code in await self.library.send("Dispositions", listed(wish))] == [0]
        (watch,) = [one for one in await watches(self.chief) if one["state"] == "proposed"]
        return (await self.chief.ok("POST", f"watches/{watch['id']}/approve"))["id"]

    async def passes(self, number: int, **more: Any) -> str:
        one = vehicle(number, **more)
        assert [code for _, code in await self.camera.send("MotorVehicles", vehicles(one))] == [0]
        await follow(self.house)
        return one["MotorVehicleID"]

    async def telling(self, watch: str) -> dict[str, Any]:
        return (await self.chief.ok("GET", f"watches/{watch}"))["telling"]

    async def figures(self, watch: str) -> tuple[int, int, int]:
        said = await self.telling(watch)
        return said["delivered"], said["waiting"], said["lost"]

    async def recalled(self, watch: str) -> tuple[int, int]:
        said = await self.telling(watch)
        return said["recalled"], said["not_recalled"]

    async def take_back(self, name: str) -> None:
        """The camera says that it saw no such vehicle."""
        await self.camera.ask("DELETE", f"MotorVehicles?IDList={name}")
        await follow(self.house)


@pytest.fixture
async def city(house: Any, admin: Any) -> City:
    return await a_city(house, admin)


async def a_city(house: Any, admin: Any) -> City:
    """With everybody in it."""
    one = City(house, admin)
    one.area = (await admin.ok("POST", "areas", {"name": "city", "code": "3402"}))["id"]
    gate = {"name": "gate", "code": GATE, "area": one.area, "fuse_seconds": 1, "lanes": [{"number": 1}]}
    await admin.ok("POST", "tollgates", gate)
    await admin.ok("POST", "users", {"username": "chief", "password": PASSWORD, "roles": ["supervisor"]})
    one.library = await joined(house, admin, LIBRARY, "10.0.0.6", area=one.area)
    one.camera = await joined(house, admin, CAMERA, "10.0.0.7", area=one.area)
    one.chief = await client_of(house, "chief")
    return one


async def test_the_hit_arrives_there_with_its_picture_over_a_real_connection(admin: Any, city: City) -> None:
    bodies: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
        bodies.append(head.splitlines()[0].encode())
        bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def there(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        assert address.place == PLACE
        here = replace(address, host="127.0.0.1", port=port)
        answer = await exchange("POST", here, body, headers, refuse=lambda _: False)
        return answer.status, answer.body

    city.again(there)
    watch = await city.asked()
    async with server:
        name = await city.passes(1, picture=jpeg())
        assert await city.told() == 1
        assert await city.told() == 0
    assert bodies[0] == b"POST /VIID/DispositionNotifications HTTP/1.1"
    sent = json.loads(bodies[1])
    (notice,) = sent["DispositionNotificationListObject"]["DispositionNotificationObject"]
    assert (notice["DispositionID"], notice["Title"], notice["CntObjectID"]) == (NUMBER, "stolen car", name)
    assert (len(notice["NotificationID"]), notice["NotificationID"][12:14]) == (33, "04")
    assert notice["TriggerTime"] == "20231115061320"
    assert notice["MotorVehicleObject"] == vehicle(1, picture=jpeg())
    assert await city.figures(watch) == (1, 0, 0)
    (line,) = [one for one in (await admin.ok("GET", "audit"))["items"] if one["details"].get("notification")]
    assert (line["actor_name"], line["object_name"], line["details"]["told"]) == ("name of 340200", "皖A12B45", PLACE)
    # One of ours takes what one of ours tells, whole; what answers a watch of ours: see `test_web_viid_upper.py`.
    assert [code for _, code in await city.library.send("DispositionNotifications", sent)] == [0]


async def test_what_no_camera_of_the_standard_said_is_told_in_our_words(admin: Any, city: City) -> None:
    await city.asked()
    one = {
        "tollgate": GATE, "reference": "a", "source": "camera", "plate": "皖A12B45", "lane": 1, "speed_kmh": 61,
        "colour": "red", "at": rfc3339(city.house.clock.now_us()),
    }  # fmt: skip
    await admin.ok("POST", "sightings", {"items": [one]})
    await follow(city.house)
    city.asking.answer = UnavailableError("away")
    await city.told()
    city.asking.answer = (200, b"")
    city.house.clock.advance(10)
    assert await city.told() == 1
    (_, first), (_, second) = city.asking.got
    assert first == second, "the same words under the same number"
    seen = first["MotorVehicleObject"]
    assert (seen["PlateNo"], seen["TollgateID"], seen["Speed"], seen["VehicleColor"]) == ("皖A12B45", GATE, 61, "4")
    assert (len(seen["MotorVehicleID"]), seen["PassTime"]) == (48, "20231115061320")


async def test_nothing_is_told_before_a_person_has_allowed_the_address_they_were_shown(city: City) -> None:
    await city.library.send("Dispositions", listed(disposition(ReceiveAddr=ADDRESS)))
    (watch,) = await watches(city.chief)
    assert (watch["telling"]["receive_addr"], watch["telling"]["allowed"]) == (ADDRESS, False)
    await city.passes(1)
    assert await city.told() == 0
    done = await city.chief.ok("POST", f"watches/{watch['id']}/approve")
    assert done["telling"]["allowed"]
    name = await city.passes(2, PassTime="20231115061420")
    assert await city.told() == 1
    assert city.asking.met() == [name]
    # Another address is another wish, which nobody has agreed to.
    await city.library.send("Dispositions", listed(disposition(ReceiveAddr="http://10.0.0.99/elsewhere")))
    assert [one["state"] for one in await watches(city.chief)] == ["proposed", "withdrawn"]
    await city.passes(3, PassTime="20231115061520")
    assert await city.told() == 0


async def test_the_same_wish_sent_again_changes_nothing(city: City) -> None:
    watch = await city.asked(ResultImageDeclare="01,09", EndTime="20991231000000")
    city.house.clock.advance(10)
    again = disposition(ReceiveAddr=ADDRESS, ResultImageDeclare="09,01", EndTime="20991231000000")
    await city.library.send("Dispositions", listed(again))
    assert [(one["id"], one["state"]) for one in await watches(city.chief)] == [(watch, "approved")]


@pytest.mark.parametrize("address", ["http://127.0.0.1/x", "http://169.254.169.254/latest", "file:///etc/passwd"])
async def test_an_address_where_nobody_should_call_is_not_offered_to_anybody(address: str, city: City) -> None:
    answer = (await city.library.ask("POST", "Dispositions", listed(disposition(ReceiveAddr=address)))).json()
    (said,) = answer["ResponseStatusListObject"]["ResponseStatusObject"]
    assert (said["StatusCode"], "ReceiveAddr is not accepted" in said["StatusString"]) == (0, True)
    (watch,) = await watches(city.chief)
    assert (watch["state"], watch["telling"]) == ("proposed", None)
    await city.chief.ok("POST", f"watches/{watch['id']}/approve")
    await city.passes(1)
    assert await city.told() == 0
    assert len(await hits(city.admin)) == 1, "it is watched for all the same"


async def test_nothing_is_sent_to_another_place_than_was_allowed(city: City) -> None:
    watch = await city.asked()

    def moved(tx: Any) -> None:
        known = subscribers.of_watches(tx, [watch])[watch]
        subscribers.save(tx, replace(known, body={**known.body, "ReceiveAddr": "http://10.0.0.66:8200/"}))

    await city.house.services.database.write(moved)
    await city.passes(1)
    assert await city.told() == 0
    assert city.asking.got == []
    assert "allowed" in (await city.telling(watch))["last_error"]


async def test_what_did_not_arrive_comes_again_in_order_under_its_number_after_a_restart(city: City) -> None:
    watch = await city.asked()
    names = [await city.passes(1)]
    for failure in (UnavailableError("away"), (500, b""), (200, b'{"ResponseStatusObject":{"StatusCode":"1"}}')):
        city.asking.answer = failure
        assert await city.told() == 0
        tried = len(city.asking.got)
        city.house.clock.advance(2)
        names.append(await city.passes(tried + 1, PassTime=f"202311150613{20 + 10 * tried}"))
        assert await city.told() == 0
        assert len(city.asking.got) == tried, "it waits, and does not hammer, nor does what came later overtake"
        city.house.clock.advance(60)
    assert await city.figures(watch) == (0, 4, 0)
    assert (await city.telling(watch))["last_error"]
    city.asking.answer = (200, b"")
    city.again()
    assert await city.told() == 4
    assert city.asking.met()[3:] == names, "one by one"
    assert len({notice["NotificationID"] for _, notice in city.asking.got}) == 4
    assert (await city.telling(watch))["last_error"] == ""


async def test_a_library_that_does_not_answer_is_tried_once_for_all_its_watches(city: City) -> None:
    for number in range(4):
        await city.asked(DispositionID=f"{NUMBER[:-1]}{number}", TargetFeature=f"皖A0000{number}")
    city.asking.answer = UnavailableError("away")
    for number in range(4):
        await city.passes(number, plate=f"皖A0000{number}")
    for _ in range(5):
        assert await city.told() == 0
    assert len(city.asking.got) == 1
    city.asking.answer = (200, b"")
    city.house.clock.advance(10)
    assert await city.told() == 4


async def test_a_hit_that_the_library_does_not_take_is_given_up_and_counted(city: City) -> None:
    watch = await city.asked()
    refused, taken = await city.passes(1), await city.passes(2, PassTime="20231115061420")

    async def picky(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        await city.asking(address, body, headers)
        return (400 if refused in body.decode() else 200), b""

    city.again(picky)
    for _ in range(15):
        await city.told()
        city.house.clock.advance(900)
    assert city.asking.met().count(taken) == 1
    city.chief = await client_of(city.house, "chief")
    assert await city.figures(watch) == (1, 0, 1)


async def test_a_near_miss_is_looked_at_here_and_told_nobody_until_it_is_none(city: City) -> None:
    watch = await city.asked()
    await city.passes(1, plate="皖A12845")  # B read as 8
    assert [one["kind"] for one in await hits(city.admin)] == ["near"]
    assert await city.told() == 0
    name = await city.passes(1, plate="皖A12B45")  # the camera corrects itself
    assert await city.told() == 1
    assert city.asking.met() == [name]
    assert await city.figures(watch) == (1, 0, 0)


async def test_what_was_taken_back_is_not_told_any_more(city: City) -> None:
    watch = await city.asked()
    city.asking.answer = UnavailableError("away")
    name = await city.passes(1)
    await city.told()
    await city.take_back(name)
    city.asking.answer = (200, b"")
    city.house.clock.advance(10)
    assert await city.told() == 1
    assert len(city.asking.got) == 1, "it is not told again"
    assert await city.figures(watch) == (0, 0, 0)
    assert await city.recalled(watch) == (1, 0), "it may have heard of it without an answer of its own"


async def test_a_watch_that_its_library_takes_back_is_silent_there_too(city: City) -> None:
    watch = await city.asked()
    await city.passes(1)
    assert (await city.library.ask("DELETE", f"Dispositions?IDList={NUMBER}")).status_code == 200
    await city.passes(2, PassTime="20231115061420")
    assert await city.told() == 0
    assert city.asking.got == []
    assert await city.figures(watch) == (0, 0, 0)


async def test_what_could_not_be_told_before_the_watch_ended_is_counted(city: City) -> None:
    watch = await city.asked(EndTime="20231115061420")
    city.asking.answer = UnavailableError("away")
    await city.passes(1)
    await city.told()
    city.house.clock.advance(61)
    while await city.house.services.watch_duties.step():
        pass
    city.asking.answer = (200, b"")
    city.again()
    assert await city.told() == 0
    assert await city.figures(watch) == (0, 0, 1)


async def test_a_hit_goes_with_its_passage_and_is_counted(city: City) -> None:
    (gate,) = (await city.admin.ok("GET", "tollgates"))["items"]
    await city.admin.ok("PATCH", f"tollgates/{gate['id']}", {"retention_days": 1})
    watch = await city.asked()
    city.asking.answer = UnavailableError("away")
    await city.passes(1)
    await city.told()
    city.house.clock.advance(86_401)
    city.asking.answer = (200, b"")
    assert await city.told() == 0
    city.chief = await client_of(city.house, "chief")
    assert await city.figures(watch) == (0, 0, 1)


@pytest.mark.parametrize("removed", [False, True])
async def test_a_library_that_is_locked_out_or_removed_is_not_told(removed: bool, city: City) -> None:
    watch = await city.asked()
    await city.passes(1)
    (library,) = [one for one in (await city.admin.ok("GET", "devices"))["items"] if one["code"] == LIBRARY]
    if removed:
        await city.admin.ok("DELETE", f"devices/{library['id']}")
    else:
        await city.admin.ok("PATCH", f"devices/{library['id']}", {"enabled": False})
    assert await city.told() == 0
    assert city.asking.got == []
    assert await city.figures(watch) == (0, 0, 1)


async def test_restricted_checkpoints_and_what_it_said_itself_are_not_told_to_a_library(city: City) -> None:
    (gate,) = (await city.admin.ok("GET", "tollgates"))["items"]
    await city.library.send("Dispositions", listed(disposition(ReceiveAddr=ADDRESS)))
    (watch,) = await watches(city.admin)
    await city.admin.ok("POST", f"watches/{watch['id']}/approve")  # who may see restricted passages
    await city.library.send("MotorVehicles", vehicles(vehicle(1)))
    await follow(city.house)
    await city.admin.ok("PATCH", f"tollgates/{gate['id']}", {"restricted": True})
    await city.passes(2, PassTime="20231115061420")
    assert len(await hits(city.admin)) == 2
    assert await city.told() == 0


@pytest.mark.parametrize("waits", [False, True], ids=["moved before the hit", "moved while it waits"])
async def test_what_lies_outside_the_area_of_the_library_is_not_told_to_it(waits: bool, city: City) -> None:
    await city.asked()
    if waits:
        await city.passes(1)
    away = await city.admin.ok("POST", "areas", {"name": "another city", "code": "3403"})
    (library,) = [one for one in (await city.admin.ok("GET", "devices"))["items"] if one["code"] == LIBRARY]
    await city.admin.ok("PATCH", f"devices/{library['id']}", {"area": away["id"]})
    if not waits:
        await city.passes(1)
    assert len(await hits(city.admin)) == 1, "here it is one all the same"
    assert await city.told() == 0
    assert city.asking.got == []


async def test_a_subscription_and_a_watch_of_one_library_have_nothing_to_do_with_each_other(city: City) -> None:
    watch = await city.asked()
    assert (await city.admin.ok("GET", "subscriptions"))["items"] == []
    assert (await city.library.ask("GET", "Subscribes")).json()["SubscribeListObject"]["SubscribeObject"] == []

    def inner(tx: Any) -> str:
        return subscribers.of_watches(tx, [watch])[watch].id

    row = await city.house.services.database.read(inner)
    assert (await city.admin.ask("POST", f"subscriptions/{row}/accept")).status_code == 404
    assert await city.library.send("Subscribes", subscribe(SubscribeID=NUMBER)) == [(NUMBER, 0)]
    await city.library.ask("DELETE", f"Subscribes/{NUMBER}")
    await city.passes(1)
    assert await city.told() == 1
    assert [where for where, _ in city.asking.got] == [f"{PLACE}/VIID/DispositionNotifications"]
