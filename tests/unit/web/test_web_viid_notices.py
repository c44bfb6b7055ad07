"""Subscriptions of other libraries: agreed to by a person, told from a durable outbox, never sent where none should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.web.viid_client import CAMERA, GATE, LIBRARY, ViidClient, jpeg, vehicle, vehicles

from safecity.core.ground.images import subscribers
from safecity.core.ground.images.api import Address, Notifier, read_address, refused_ip
from safecity.core.ground.images.delivery import pause, understood
from safecity.core.ground.images.notifier import MAX_OBJECTS
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.links.http_post import exchange
from safecity.protocols.gat1400.subscriptions import write_notification

NUMBER = "340200000001032023111506132000001"


def subscribe(**more: Any) -> dict[str, Any]:
    fields = {
        "SubscribeID": NUMBER,
        "Title": "vehicles",
        "SubscribeDetail": "13",
        "ResourceClass": 0,
        "ResourceURI": GATE,
        "ReceiveAddr": "http://10.0.0.6:8200/VIID/SubscribeNotifications",
        "ApplicantName": "Li",
        "ApplicantOrg": "bureau",
        "BeginTime": "20231101000000",
        "EndTime": "20231201000000",
        "ReportInterval": 0,
        "OperateType": 0,
        "SubscribeStatus": 0,
        **more,
    }
    return {"SubscribeListObject": {"SubscribeObject": [fields]}}


class Receiver:
    """The library that is told: remembers, and answers what a test wants."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.answer: tuple[int, bytes] | Exception = (200, b'{"ResponseStatusObject":{"StatusCode":0}}')

    async def __call__(self, address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        (notice,) = json.loads(body)["SubscribeNotificationListObject"]["SubscribeNotificationObject"]
        self.got.append((f"{address.place}{address.target}", notice))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def ids(self) -> list[str]:
        return [name for _, notice in self.got for name in notice["InfoIDs"].split(",")]


@pytest.fixture
async def city(house: Any, admin: Any) -> AsyncIterator[dict[str, Any]]:
    ids: dict[str, Any] = {}
    area = (await admin.ok("POST", "areas", {"name": "own", "code": "340202"}))["id"]
    await admin.ok("POST", "tollgates", {"name": "gate", "code": GATE, "area": area, "lanes": [{"number": 1}]})
    for name, code, address in (("camera", CAMERA, "10.0.0.5"), ("library", LIBRARY, "10.0.0.6")):
        made = await admin.ok("POST", "devices", {"kind": "gat1400", "code": code, "name": name, "area": area})
        ids[name] = ViidClient(house.app, code, made["registration"]["password"], address)
        assert (await ids[name].register()).status_code == 200
    here = house.services
    ids["receiver"] = Receiver()
    ids["notifier"] = Notifier(here.database, here.blobs, house.clock, here.settings, ids["receiver"])
    yield ids
    for name in ("camera", "library"):
        await ids[name].inner.aclose()


async def agreed(admin: Any, city: dict[str, Any], **more: Any) -> str:
    assert await city["library"].send("Subscribes", subscribe(**more)) == [(NUMBER, 0)]
    (one,) = (await admin.ok("GET", "subscriptions"))["items"]
    assert (one["state"], one["applicant"]) == ("pending", "Li bureau")
    return (await admin.ok("POST", f"subscriptions/{one['id']}/accept", {"reason": "agreement 7"}))["id"]


async def test_a_library_is_told_once_somebody_agreed(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await city["library"].send("Subscribes", subscribe())
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    assert await city["notifier"].step() == 0
    (one,) = (await admin.ok("GET", "subscriptions"))["items"]
    await admin.ok("POST", f"subscriptions/{one['id']}/accept")
    await city["camera"].send("MotorVehicles", vehicles(vehicle(2, picture=jpeg()), vehicle(3)))
    await city["camera"].send("Faces", {"FaceListObject": {"FaceObject": [{"FaceID": "1"}]}})
    assert await city["notifier"].step() == 1
    ((where, notice),) = city["receiver"].got
    assert where == "10.0.0.6:8200/VIID/SubscribeNotifications"
    assert (notice["SubscribeID"], len(notice["NotificationID"]), notice["ExecuteOperation"]) == (NUMBER, 33, 1)
    first, second = notice["MotorVehicleObjectList"]["MotorVehicleObject"]
    assert [first, second] == [vehicle(2, picture=jpeg()), vehicle(3)]
    assert await city["notifier"].step() == 0
    logged = [record["action"] for record in (await admin.ok("GET", "audit"))["items"]]
    assert "subscription.decide" in logged
    assert (await admin.ok("GET", "subscriptions"))["items"][0]["delivered"] == 2


async def test_what_did_not_arrive_comes_again_under_the_same_number(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await agreed(admin, city)
    receiver, notifier = city["receiver"], city["notifier"]
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    for failure in (UnavailableError("away"), (500, b""), (200, b'{"ResponseStatusObject":{"StatusCode":"1"}}')):
        receiver.answer = failure
        assert await notifier.step() == 0
        tried = len(receiver.got)
        await city["camera"].send("MotorVehicles", vehicles(vehicle(2)))
        assert await notifier.step() == 0
        assert len(receiver.got) == tried, "it waits, and does not hammer, nor does what came later overtake"
        house.clock.advance(60)
    receiver.answer = (200, b"")
    # A process that begins anew finds all of it in the database.
    here = house.services
    again = Notifier(here.database, here.blobs, house.clock, here.settings, receiver)
    while await again.step():
        pass
    numbers = [notice["NotificationID"] for _, notice in receiver.got]
    assert numbers[:4] == [numbers[0]] * 4
    assert receiver.ids()[3:] == [vehicle(1)["MotorVehicleID"], vehicle(2)["MotorVehicleID"]]


async def test_objects_go_together_within_the_interval_and_without_pictures_if_so_asked(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await agreed(admin, city, ReportInterval=30, ResultImageDeclare="-1")
    for number in range(5):
        await city["camera"].send("MotorVehicles", vehicles(vehicle(number, picture=jpeg())))
    assert await city["notifier"].step() == 0
    house.clock.advance(30)
    assert await city["notifier"].step() == 1
    assert len(city["receiver"].ids()) == 5
    assert "SubImageList" not in json.dumps(city["receiver"].got)


async def below(admin: Any) -> str:
    """The library lies below us, too: the number of what we subscribe to there."""
    (library,) = [one for one in (await admin.ok("GET", "devices"))["items"] if one["code"] == LIBRARY]
    await admin.ok("PUT", f"libraries/{library['id']}", {"url": "http://10.0.0.6:8200"})
    asked = await admin.ok("POST", f"libraries/{library['id']}/subscriptions", {"details": [13]})
    return asked["number"]


async def test_nothing_goes_back_to_where_it_came_from(admin: Any, city: dict[str, Any]) -> None:
    await agreed(admin, city)
    number = await below(admin)
    notice = {
        "NotificationID": "340200000001042023111506132000001",
        "SubscribeID": number,
        "Title": "t",
        "InfoIDs": "1",
        "TriggerTime": "20231115061320",
        "ExecuteOperation": 1,
        "MotorVehicleObjectList": {"MotorVehicleObject": [vehicle(1)]},
    }
    body = {"SubscribeNotificationListObject": {"SubscribeNotificationObject": [notice]}}
    for _ in range(3):  # at least once is how the other side sends, too
        assert [code for _, code in await city["library"].send("SubscribeNotifications", body)] == [0]
    assert await city["notifier"].step() == 0
    (passage,) = (await admin.ok("GET", "passages", params={"purpose": "security"}))["items"]
    assert passage["sightings"] == 1


async def test_a_notification_may_be_as_full_as_ours_are(house: Any, admin: Any, city: dict[str, Any]) -> None:
    """What one library of ours tells another must be taken there whole: fifty vehicles have many fields together."""
    many = [
        vehicle(number, plate=f"皖A{number:05d}", Hood="-", Roof="-", EthnicCode="1") for number in range(MAX_OBJECTS)
    ]
    many[3]["MotorVehicleID"] = "x" * 65
    notice = write_notification(
        identity=NUMBER,
        subscription=await below(admin),
        title="t",
        kind="MotorVehicle",
        objects=many,
        now=house.clock.now_us(),
    )
    body = {"SubscribeNotificationListObject": {"SubscribeNotificationObject": [notice]}}
    answer = await city["library"].ask("POST", "SubscribeNotifications", body)
    (said,) = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
    assert (said["StatusCode"], said["StatusString"]) == (0, "OK, not understood: 1")
    found = await admin.ok("GET", "passages", params={"purpose": "security", "limit": 500})
    assert len(found["items"]) == MAX_OBJECTS - 1
    kept = (await city["library"].ask("GET", f"MotorVehicles/{many[0]['MotorVehicleID']}")).json()
    assert kept["MotorVehicleObject"] == {name: value for name, value in many[0].items() if name != "EthnicCode"}


async def test_pictures_make_no_notification_that_nobody_would_take(
    house: Any, admin: Any, city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.core.ground.images.notifier.MAX_BYTES", 10_000)
    await agreed(admin, city)
    sent = [vehicle(number, picture=jpeg(tail=bytes(size))) for number, size in enumerate((10, 4000, 4000, 9000, 10))]
    await city["camera"].send("MotorVehicles", vehicles(*sent))
    city["receiver"].answer = UnavailableError("away")
    await city["notifier"].step()
    city["receiver"].answer = (200, b"")
    (first,) = city["receiver"].got
    assert len(json.dumps(first)) < 12_000
    city["receiver"].got.clear()
    for _ in range(3):
        house.clock.advance(10)
        while await city["notifier"].step():
            pass
    assert city["receiver"].ids() == [one["MotorVehicleID"] for one in sent]
    assert len({notice["NotificationID"] for _, notice in city["receiver"].got}) == 4
    assert (await admin.ok("GET", "subscriptions"))["items"][0]["delivered"] == 5


async def test_a_cancelled_refused_or_ended_subscription_is_silent(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    one = await agreed(admin, city)
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    await admin.ok("POST", f"subscriptions/{one}/refuse")
    assert await city["notifier"].step() == 0
    await admin.ok("POST", f"subscriptions/{one}/accept")
    await city["camera"].send("MotorVehicles", vehicles(vehicle(2)))
    cancel = {"SubscribeID": NUMBER, "OperateType": 1, "SubscribeCancelPerson": "Li", "CancelReason": "over"}
    answer = await city["library"].ask("PUT", f"Subscribes/{NUMBER}", {"SubscribeObject": cancel})
    assert answer.json()["ResponseStatusObject"]["StatusCode"] == 0
    assert await city["notifier"].step() == 0
    assert (await city["library"].ask("GET", f"Subscribes/{NUMBER}")).json()["SubscribeObject"]["SubscribeStatus"] == 1
    house.clock.advance(30 * 86_400)
    assert city["receiver"].got == []


async def test_a_subscription_is_cancelled_also_in_the_words_of_the_standard_alone(
    admin: Any, city: dict[str, Any]
) -> None:
    """Who cancels by PUT says by whom, when and why; `OperateType` is not always there."""
    await agreed(admin, city)
    said = {
        "SubscribeID": NUMBER,
        "SubscribeCancelPerson": "Li",
        "CancelTime": "20231115061320",
        "CancelReason": "over",
    }
    answer = await city["library"].ask("PUT", f"Subscribes/{NUMBER}", {"SubscribeObject": said})
    assert answer.json()["ResponseStatusObject"]["StatusCode"] == 0
    assert (await admin.ok("GET", "subscriptions"))["items"][0]["state"] == "cancelled"


@pytest.mark.parametrize("path", [f"Subscribes?IDList=unknown,{NUMBER}", f"Subscribes/{NUMBER}"])
async def test_a_subscription_that_its_library_deletes_is_over(path: str, admin: Any, city: dict[str, Any]) -> None:
    await agreed(admin, city)
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    assert (await city["library"].ask("DELETE", path)).status_code == 200
    await city["camera"].send("MotorVehicles", vehicles(vehicle(2)))
    while await city["notifier"].step():
        pass
    assert city["receiver"].got == []
    assert (await admin.ok("GET", "subscriptions"))["items"][0]["state"] == "cancelled"


async def test_a_library_that_subscribes_anew_each_day_is_never_full(
    house: Any, admin: Any, city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.core.ground.images.service.MAX_SUBSCRIPTIONS", 3)
    library = city["library"]

    async def asked(number: int, **more: Any) -> int:
        ((_, code),) = await library.send("Subscribes", subscribe(SubscribeID=f"{NUMBER[:-2]}{number}", **more))
        return code

    assert [await asked(number) for number in (10, 11, 12, 13)] == [0, 0, 0, 1], "what waits for an answer stays"
    await library.ask("DELETE", f"Subscribes/{NUMBER[:-2]}11")
    assert [await asked(13), await asked(14)] == [0, 1]
    for one in (await admin.ok("GET", "subscriptions"))["items"]:
        await admin.ok("POST", f"subscriptions/{one['id']}/accept")
    house.clock.advance(30 * 86_400)
    assert (await library.register()).status_code == 200
    listed = (await library.ask("GET", "Subscribes")).json()["SubscribeListObject"]["SubscribeObject"]
    assert [one["SubscribeStatus"] for one in listed] == [2, 2, 2], "past its end is not in force"
    assert await asked(15, EndTime="20240101000000") == 0


async def test_what_a_camera_says_ten_times_is_told_once(admin: Any, city: dict[str, Any]) -> None:
    await agreed(admin, city)
    for _ in range(10):
        await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    while await city["notifier"].step():
        pass
    assert city["receiver"].ids() == [vehicle(1)["MotorVehicleID"]]


async def test_nothing_is_sent_to_another_place_than_was_accepted(house: Any, admin: Any, city: dict[str, Any]) -> None:
    one = await agreed(admin, city)

    def moved(tx: Any) -> None:
        known = subscribers.subscription(tx, one)
        assert known is not None
        subscribers.save(tx, replace(known, body={**known.body, "ReceiveAddr": "http://10.0.0.66:8200/"}))

    await house.services.database.write(moved)
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    assert await city["notifier"].step() == 0
    assert city["receiver"].got == []


async def test_a_library_that_was_removed_is_not_told_any_more(admin: Any, city: dict[str, Any]) -> None:
    one = await agreed(admin, city)
    device = next(item for item in (await admin.ok("GET", "subscriptions"))["items"] if item["id"] == one)["device"]
    await admin.ok("PATCH", f"devices/{device}", {"enabled": False})
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    assert await city["notifier"].step() == 0
    await admin.ok("DELETE", f"devices/{device}")
    await city["camera"].send("MotorVehicles", vehicles(vehicle(2)))
    assert await city["notifier"].step() == 0
    assert city["receiver"].got == []


async def test_what_could_not_be_told_in_time_is_counted(house: Any, admin: Any, city: dict[str, Any]) -> None:
    one = await agreed(admin, city)
    subscription = (await admin.ok("GET", "subscriptions"))["items"][0]
    (gate,) = (await admin.ok("GET", "tollgates"))["items"]
    await admin.ok("PATCH", f"tollgates/{gate['id']}", {"retention_days": 1})
    city["receiver"].answer = UnavailableError("away")
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1), vehicle(2)))
    assert await city["notifier"].step() == 0
    house.clock.advance(86_401)
    assert await house.services.images.sweep() == 2
    await admin.sign_in("root")

    async def lost() -> int:
        return next(each["lost"] for each in (await admin.ok("GET", "subscriptions"))["items"] if each["id"] == one)

    assert await lost() == 2, "past their own time"
    await city["camera"].register()
    await city["camera"].send("MotorVehicles", vehicles(vehicle(3)))
    await admin.ok("PATCH", f"devices/{subscription['device']}", {"enabled": False})
    assert await city["notifier"].step() == 0
    assert await lost() == 3, "the library is locked out"


@pytest.mark.parametrize("refusal", [(400, b""), (200, b'{"ResponseStatusObject":{"StatusCode":"8"}}')])
async def test_one_object_that_a_library_does_not_want_does_not_keep_the_others_from_it(
    refusal: tuple[int, bytes], house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await agreed(admin, city)
    many = [vehicle(number) for number in range(9)]
    names = [one["MotorVehicleID"] for one in many]
    taken: list[str] = []

    async def picky(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        (notice,) = json.loads(body)["SubscribeNotificationListObject"]["SubscribeNotificationObject"]
        ids = notice["InfoIDs"].split(",")
        if names[3] in ids:
            return refusal
        taken.extend(ids)
        return 200, b""

    here = house.services
    notifier = Notifier(here.database, here.blobs, house.clock, here.settings, picky)
    await city["camera"].send("MotorVehicles", vehicles(*many))
    for _ in range(30):
        while await notifier.step():
            pass
        house.clock.advance(900)
    assert taken == [name for name in names if name != names[3]], "in their order"
    await admin.sign_in("root")
    (one,) = (await admin.ok("GET", "subscriptions"))["items"]
    assert (one["delivered"], one["lost"]) == (8, 1)


@pytest.mark.parametrize("code", ["\u00b2", "9" * 5000])
async def test_a_number_that_is_none_in_an_answer_keeps_nobody_waiting(
    code: str, admin: Any, city: dict[str, Any]
) -> None:
    await agreed(admin, city)
    city["receiver"].answer = (200, json.dumps({"ResponseStatusObject": {"StatusCode": code}}).encode())
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    assert await city["notifier"].step() == 1
    assert await city["notifier"].step() == 0


async def test_a_wish_with_a_number_that_is_none_is_refused_alone(city: dict[str, Any]) -> None:
    both = subscribe()
    both["SubscribeListObject"]["SubscribeObject"] += subscribe(SubscribeID="2", SubscribeDetail="\u00b2")[
        "SubscribeListObject"
    ]["SubscribeObject"]
    assert await city["library"].send("Subscribes", both) == [(NUMBER, 0), ("2", 8)]


async def test_a_disk_that_cannot_be_read_puts_a_notification_off_like_a_library_that_is_away(
    house: Any, admin: Any, city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await agreed(admin, city)
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1, picture=jpeg())))
    reads: list[str] = []

    def broken(key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        reads.append(key)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as context:
        context.setattr(house.services.blobs, "read", broken)
        assert [await city["notifier"].step() for _ in range(3)] == [0, 0, 0]
        assert len(reads) == 1, "it waits, and does not hammer"
        assert "Input/output" in (await admin.ok("GET", "subscriptions"))["items"][0]["last_error"]
    house.clock.advance(10)
    assert await city["notifier"].step() == 1


async def test_a_changed_wish_needs_a_new_yes(admin: Any, city: dict[str, Any]) -> None:
    await agreed(admin, city)
    await city["library"].send("Subscribes", subscribe(ReceiveAddr="http://10.0.0.99/elsewhere"), "PUT")
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    assert await city["notifier"].step() == 0
    assert (await admin.ok("GET", "subscriptions"))["items"][0]["state"] == "pending"


async def test_nobody_agrees_to_a_wish_that_was_changed_after_they_looked(admin: Any, city: dict[str, Any]) -> None:
    await city["library"].send("Subscribes", subscribe())
    (seen,) = (await admin.ok("GET", "subscriptions"))["items"]
    await city["library"].send("Subscribes", subscribe(ReceiveAddr="http://10.0.0.99/elsewhere", SubscribeDetail="12"))
    path, asked = f"subscriptions/{seen['id']}/accept", {"revision": seen["revision"]}
    refused = await admin.ask("POST", path, asked)
    assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile")
    (now,) = (await admin.ok("GET", "subscriptions"))["items"]
    assert (now["state"], now["receive_addr"]) == ("pending", "http://10.0.0.99/elsewhere")
    assert (await admin.ok("POST", path, {"revision": now["revision"]}))["state"] == "active"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
        "gopher://10.0.0.6/",
        "http://user:pw@10.0.0.6/",
        "http://10.0.0.6:99999/",
        "http://a\r\nb/",
        "",
        "x" * 501,
    ],
)
async def test_an_address_where_nobody_should_call_is_refused(address: str, city: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        read_address(address)
    assert [code for _, code in await city["library"].send("Subscribes", subscribe(ReceiveAddr=address))] == [8]


def test_addresses_of_city_networks_are_allowed() -> None:
    for address in (
        "http://10.0.0.6/",
        "https://192.168.1.9:8443/VIID/SubscribeNotifications",
        "http://library.example/x?y=1",
    ):
        read_address(address)
    assert not refused_ip("10.1.2.3")
    assert refused_ip("127.0.0.1")
    assert refused_ip("64:ff9b::7f00:1")  # loopback behind NAT64
    assert refused_ip("100.100.100.200")  # metadata of a cloud


async def test_other_people_neither_see_nor_decide_subscriptions(house: Any, admin: Any, city: dict[str, Any]) -> None:
    one = await agreed(admin, city)
    foreign = (await admin.ok("POST", "areas", {"name": "foreign", "code": "350101"}))["id"]
    grants = [{"role": "administrator", "area": foreign}]
    await admin.ok("POST", "users", {"username": "elsewhere", "password": "correct horse battery", "grants": grants})
    client = house.client()
    await client.sign_in("elsewhere")
    assert (await client.ok("GET", "subscriptions"))["items"] == []
    assert (await client.ask("POST", f"subscriptions/{one}/refuse")).status_code == 404


# --- the sender itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{}"),
        (b"HTTP/1.0 503 Busy\r\n\r\nlater", 503, b"later"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + b"HTTP/1.1 200 OK\r\n\r\n{}", None, b""),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", None, b""),
        (b"SSH-2.0-x\r\n\r\n", None, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", None, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", None, b""),
        (b"", None, b""),
    ],
)
async def test_one_post_reads_one_answer_within_its_limits(said: bytes, status: int | None, body: bytes) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        asked.append(await reader.readexactly(3))
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        url = Address(False, "127.0.0.1", port, "/x")
        call = exchange("POST", url, b"{ }", {"A": "b"}, refuse=lambda _: False)
        if status is None:
            with pytest.raises(UnavailableError):
                await call
        else:
            answer = await call
            assert (answer.status, answer.body) == (status, body)
    assert asked[0].startswith(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:")


@asynccontextmanager
async def there(said: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[Address]:
    """A server that answers so, and closes nothing by itself until the test is over."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await said(writer)
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        try:
            yield Address(False, "127.0.0.1", server.sockets[0].getsockname()[1], "/x")
        finally:
            over.set()


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_is_not_waited_for_where_the_other_side_keeps_the_connection(
    status: int,
) -> None:
    async def said(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d None\r\nConnection: keep-alive\r\n\r\n" % status)

    async with there(said) as url:
        answer = await exchange("POST", url, b"", {}, refuse=lambda _: False)
    assert (answer.status, answer.body) == (status, b"")


async def test_a_body_without_a_length_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that comes in pieces must not be taken for no word at all."""
    first = asyncio.Event()
    read = asyncio.StreamReader.read

    async def noticed(reader: asyncio.StreamReader, n: int = -1) -> bytes:
        piece = await read(reader, n)
        first.set()
        return piece

    async def said(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"ResponseStatusObject":')
        await first.wait()
        writer.write(b'{"StatusCode":1}}')
        writer.close()

    monkeypatch.setattr(asyncio.StreamReader, "read", noticed)
    async with there(said) as url:
        answer = await exchange("POST", url, b"", {}, refuse=lambda _: False)
    assert understood(answer.status, answer.body) == (False, False)


async def test_a_name_that_resolves_to_ourselves_is_not_called() -> None:
    with pytest.raises(UnavailableError) as refused:
        await exchange("POST", Address(False, "localhost", 9, "/"), b"", {}, refuse=refused_ip)
    assert refused.value.code == "http_refused_address"
    with pytest.raises(UnavailableError):
        url = Address(False, "10.0.0.1", 9, "/")
        await exchange("POST", url, b"", {"A": "b\r\nC: d"}, refuse=lambda _: False, timeout=1)


def test_a_library_that_was_away_for_months_is_still_tried() -> None:
    assert [pause(tries) for tries in range(4)] == [5.0, 10.0, 20.0, 40.0]
    assert pause(5_000) == 900.0
