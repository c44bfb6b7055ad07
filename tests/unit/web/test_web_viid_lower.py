"""Subscriptions of ours at libraries below: asked for until they are there, taken back, and what comes for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.web.conftest import House
from tests.unit.web.lower_city import ITS_CAMERA, ITS_GATE, LOWER, PLATE, SECRET, District, notice_of
from tests.unit.web.viid_client import CAMERA, ViidClient, vehicle, vehicles

from safecity.core.ground.images.api import Reply
from safecity.core.ground.lowers import store
from safecity.core.ground.lowers.api import LowerTeller
from safecity.core.ground.lowers.decide import AGAIN_US, TERM_US
from safecity.kit.clock import SECOND_US, rfc3339
from safecity.kit.errors import UnavailableError

DAY = 86_400.0


@pytest.fixture
async def district(house: House, admin: Any) -> AsyncIterator[District]:
    made = District(house, admin)
    await made.settle()
    yield made
    await made.close()


async def test_what_is_subscribed_to_below_becomes_passages_here(admin: Any, district: District) -> None:
    await district.passes()
    assert await district.plates() == [], "nobody asked"
    await district.known()
    asked = await district.subscribe(13, 7, reason="agreement 7")
    assert (asked["state"], asked["placed_at"], asked["waiting"], len(asked["number"])) == ("active", None, True, 33)
    assert await district.say() == 1
    wish = district.memory.subscriptions[asked["number"]]
    assert (wish.details, wish.resource_class, wish.uris) == ({7, 13}, 4, (LOWER,))
    assert wish.receive_addr == "http://192.0.2.1:8080/VIID/SubscribeNotifications"
    one = await district.one()
    assert one["placed_at"] is not None
    assert (one["waiting"], one["last_error"], one["received"]) == (False, "", 0)

    await district.passes()
    gate = {"TollgateID": ITS_GATE, "Name": "gate below"}
    assert district.library.tell("Tollgate", gate, tollgate=ITS_GATE) == 1
    assert district.library.tell("Face", {"FaceID": "1"}) == 0
    await district.library.report()
    assert await district.plates() == [PLATE]
    assert (await district.one())["received"] == 2
    assert len(district.memory.told) == 2
    assert district.memory.refused == []
    lines = [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == "subscription.decide"]
    assert [line["details"]["what"] for line in lines] == ["subscribe", "library"]
    assert lines[0]["details"]["details"] == "7,13"


async def test_checkpoints_that_a_library_tells_of_can_be_set_up_and_then_have_their_passages(
    admin: Any, district: District
) -> None:
    await district.known()
    await district.subscribe(7, 9, 13)
    await district.say()
    other = ITS_GATE[:-1] + "2"
    for code, name, degrees in ((ITS_GATE, "North gate", (118.3, 31.3)), (other, "South gate", (0, 0))):
        gate = {"TollgateID": code, "Name": name, "Longitude": str(degrees[0]), "Latitude": str(degrees[1])}
        district.library.tell("Tollgate", gate, tollgate=code)
        for number in (1, 2):
            lane = {
                "TollgateID": code,
                "LaneId": number,
                "LaneNo": number,
                "Name": "l",
                "Direction": "3",
                "MaxSpeed": 60,
            }
            district.library.tell("Lane", lane, tollgate=code)
    district.library.tell("Lane", {"LaneId": "x", "LaneNo": "none"}, tollgate=ITS_GATE)
    await district.library.report()
    north, south = (await admin.ok("GET", f"libraries/{district.device}/checkpoints"))["items"]
    assert (north["name"], north["code"], north["tollgate"]) == ("North gate", ITS_GATE, None)
    assert (north["longitude"], north["latitude"], south["longitude"]) == (118.3, 31.3, None)
    lanes = [(one["number"], one["direction"], one["max_speed_kmh"]) for one in north["lanes"]]
    assert lanes == [(1, "north_south", 60), (2, "north_south", 60)]
    assert len(south["lanes"]) == 2, "lanes are numbered within their checkpoint"

    told = {name: north[name] for name in ("code", "name", "longitude", "latitude", "lanes")}
    made = await admin.ok("POST", "tollgates", {**told, "area": district.area})
    north, south = (await admin.ok("GET", f"libraries/{district.device}/checkpoints"))["items"]
    assert (north["tollgate"], south["tollgate"]) == (made["id"], None)
    await district.passes()
    (passage,) = (await admin.ok("GET", "passages", params={"purpose": "security"}))["items"]
    assert (passage["tollgate"], passage["lane"]) == (made["id"], 1)


async def test_a_passage_lies_in_the_areas_of_the_library_whatever_it_says(
    house: House, admin: Any, district: District
) -> None:
    await district.known()
    number = (await district.subscribe())["number"]
    await district.say()
    assert await district.send(notice_of(number, vehicle(1))) == (0, "OK"), "the id of a camera that is nobody's here"
    for name, area in (("here", district.area), ("city", district.city)):
        grants = [{"role": "operator", "area": area}]
        await admin.ok("POST", "users", {"username": name, "password": "correct horse battery", "grants": grants})
    elsewhere = await admin.ok("POST", "areas", {"name": "elsewhere", "code": "340204", "parent": district.city})
    grants = [{"role": "operator", "area": elsewhere["id"]}]
    await admin.ok("POST", "users", {"username": "there", "password": "correct horse battery", "grants": grants})
    seen = {}
    for name in ("here", "city", "there"):
        client = house.client()
        await client.sign_in(name)
        seen[name] = len((await client.ok("GET", "passages", params={"purpose": "security"}))["items"])
    assert seen == {"here": 1, "city": 1, "there": 0}


async def test_one_object_under_one_number_counts_once(house: House, district: District) -> None:
    await district.known()
    number = (await district.subscribe())["number"]
    await district.say()
    one, other, third = vehicle(1), vehicle(2, plate="皖A22222"), vehicle(3, plate="皖A33333")
    first = notice_of(number, one, other)
    for _ in range(3):  # at least once is how others send
        assert await district.send(first) == (0, "OK")
    assert (await district.one())["received"] == 2
    # The rest of a notification that was cut in two comes under its number, too.
    assert await district.send(notice_of(number, other, third)) == (0, "OK")
    assert (await district.one())["received"] == 3
    # Late, and with other words: what came under that number is not said anew.
    await district.send(notice_of(number, vehicle(1, plate="皖A00001"), number="2"))
    await district.send(first)
    assert "皖A00001" in await district.plates()
    assert len(await district.plates()) == 3


@pytest.mark.parametrize("why", ["of another library", "withdrawn", "over", "another kind"])
async def test_what_nobody_here_asked_that_library_for_is_refused(
    house: House, admin: Any, district: District, why: str
) -> None:
    await district.known()
    until = rfc3339(house.clock.now_us() + 3600 * SECOND_US)
    asked = await district.subscribe(7 if why == "another kind" else 13, until=until)
    await district.say()
    notice, words = notice_of(asked["number"], vehicle(1)), "not asked for any more"
    if why == "of another library":
        made = await admin.ok("POST", "devices", {"kind": "gat1400", "code": LOWER[:-1] + "2", "name": "next one"})
        district.comes = ViidClient(house.app, LOWER[:-1] + "2", made["registration"]["password"], "10.0.0.7")
        assert (await district.comes.register()).status_code == 200
        words = "asked of another library"
    elif why == "withdrawn":
        await district.withdraw(asked["id"])
    elif why == "over":
        await district.later(60)
        assert (await district.send(notice)) == (0, "OK")
        await district.later(3600)
        assert (await district.comes.register()).status_code == 200
        notice["MotorVehicleObjectList"] = {"MotorVehicleObject": [vehicle(2)]}
    else:
        words = "not subscribed to"
    assert await district.send(notice) == (4, words)
    assert len(await district.plates()) == (1 if why == "over" else 0)


async def test_what_a_library_pushes_by_its_own_settings_is_taken_as_if_it_was_posted(district: District) -> None:
    await district.known()
    for number in ("340203000000032023111506132000009", ""):
        notice = notice_of(number, vehicle(1))
        assert await district.send(notice) == (0, "OK")
        assert await district.plates() == [PLATE], "twice said, it is one"


async def test_of_a_notification_only_what_was_subscribed_to_is_taken(district: District) -> None:
    await district.known()
    number = (await district.subscribe())["number"]
    await district.say()
    notice = {**notice_of(number, vehicle(1)), "FaceObjectList": {"FaceObject": [{"FaceID": "1"}]}}
    assert await district.send(notice) == (0, "OK, not subscribed to: 1")
    assert await district.plates() == [PLATE]
    assert (await district.comes.ask("GET", "Faces")).json()["FaceListObject"]["FaceObject"] == []


async def test_what_a_library_takes_back_is_gone_here(district: District) -> None:
    await district.known()
    number = (await district.subscribe())["number"]
    await district.say()
    await district.send(notice_of(number, vehicle(1)))
    assert await district.send(notice_of(number, vehicle(1), number="2", operation=3)) == (0, "OK")
    assert await district.plates() == []


async def test_what_began_here_and_comes_back_is_not_taken_for_theirs(
    house: House, admin: Any, district: District
) -> None:
    made = await admin.ok("POST", "devices", {"kind": "gat1400", "code": CAMERA, "name": "ours", "area": district.city})
    camera = ViidClient(house.app, CAMERA, made["registration"]["password"], "10.0.0.9")
    await camera.register()
    await camera.send("MotorVehicles", vehicles(vehicle(1)))
    await district.known()
    number = (await district.subscribe())["number"]
    await district.say()
    assert await district.send(notice_of(number, vehicle(1), vehicle(2))) == (0, "OK, came from here: 1")
    assert await district.plates() == [PLATE, PLATE]
    assert (await district.one())["received"] == 1
    await camera.inner.aclose()


async def test_withdrawn_it_is_cancelled_in_its_place_and_nothing_is_taken_from_that_moment(
    district: District,
) -> None:
    await district.known()
    asked = await district.subscribe()
    await district.say()
    ended = await district.withdraw(asked["id"], "agreement ended")
    assert (ended["state"], ended["waiting"], ended["ending"]) == ("withdrawn", True, "agreement ended")
    await district.passes()
    assert len(district.memory.refused) == 1, "not told yet, and no longer listened to"
    assert await district.say() == 1
    assert district.library.door.asked[-1] == ("PUT", f"/VIID/Subscribes/{asked['number']}")
    assert district.memory.subscriptions == {}
    assert (await district.one())["waiting"] is False
    answer = await district.admin.ask("POST", f"libraries/{district.device}/subscriptions/{asked['id']}/withdraw", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "lower_ended")


async def test_what_never_left_is_not_taken_back_there(district: District) -> None:
    await district.known()
    asked = await district.subscribe()
    await district.withdraw(asked["id"])
    assert await district.say() == 0
    assert district.library.door.asked == []


async def test_a_library_that_is_away_is_asked_less_and_less_and_at_once_when_it_is_back(
    house: House, district: District
) -> None:
    await district.known()
    await district.away()
    asked = await district.subscribe()
    for _ in range(5):
        assert await district.say() == 0
        house.clock.advance(3)
    one = await district.one()
    assert "127.0.0.1" in one["last_error"]
    assert (await district.see())["last_error"] == one["last_error"]
    await district.later(400)
    assert (await district.comes.register()).status_code == 200
    await district.say()  # it registered, and its door is still shut
    await district.back()
    assert await district.say() == 0, "it waits, and does not hammer"
    assert (await district.comes.register()).status_code == 200
    assert await district.say() == 1
    assert list(district.memory.subscriptions) == [asked["number"]]
    assert (await district.see())["last_error"] == ""


async def test_a_library_that_began_anew_is_asked_again_under_the_same_number(house: House, district: District) -> None:
    await district.known()
    asked = await district.subscribe()
    await district.say()
    before = dict(district.memory.subscriptions)
    district.library.forget()
    await district.later(90)
    assert (await district.comes.register()).status_code == 200
    assert await district.say() == 1
    assert district.memory.subscriptions == before, "word for word: nobody has to agree anew"
    for _ in range(5):  # one that registers over and over
        assert (await district.comes.register()).status_code == 200
    assert await district.say() == 0
    district.library.forget()  # and one that forgets without a word
    await district.later(AGAIN_US / SECOND_US)
    assert await district.say() == 1
    assert list(district.memory.subscriptions) == [asked["number"]]


async def test_one_that_lasts_until_it_is_withdrawn_is_moved_on_before_its_end(
    house: House, district: District
) -> None:
    await district.known()
    asked = await district.subscribe()
    began = house.clock.now_us()
    await district.say()
    assert district.memory.subscriptions[asked["number"]].end == began + TERM_US
    await district.later(100 * DAY)
    await district.say()
    assert district.memory.subscriptions[asked["number"]].end == began + TERM_US
    await district.later(60 * DAY)
    await district.say()
    assert district.memory.subscriptions[asked["number"]].end == house.clock.now_us() + TERM_US
    await district.comes.register()
    await district.passes()
    assert district.memory.refused == []


async def test_one_with_an_end_ends_by_itself(house: House, district: District) -> None:
    await district.known()
    await district.subscribe(until=rfc3339(house.clock.now_us() + 60 * SECOND_US))
    await district.say()
    await district.later(61)
    await district.say()
    assert district.memory.subscriptions == {}
    one = await district.one()
    assert (one["state"], one["waiting"]) == ("over", False)


async def test_it_proves_who_we_are_where_that_is_asked_for(house: House, admin: Any) -> None:
    district = District(house, admin)
    await district.settle(password=SECRET, username="city")
    await district.known()
    await district.subscribe()
    assert await district.say() == 0
    assert (await district.one())["last_error"] == "HTTP 401"
    shown = await district.known(username="city", password=SECRET)
    assert (shown["proves"], SECRET in str(shown)) == (True, False)
    assert await district.say() == 1
    # The password stays with the address it was given for.
    first = await district.known(username="city")
    assert first["proves"] is True
    moved = await admin.ok("PUT", f"libraries/{district.device}", {"url": "http://10.1.1.1:80"})
    assert moved["proves"] is False
    await district.close()


async def test_a_library_that_wants_xml_is_told_in_xml(district: District) -> None:
    await district.known(form="xml")
    asked = await district.subscribe(13, title="<motor & vehicles>")
    assert await district.say() == 1
    assert district.library.door.kinds == ["application/VIID+XML;charset=UTF-8"]
    wish = district.memory.subscriptions[asked["number"]]
    assert (wish.title, wish.details) == ("<motor & vehicles>", {13})


async def test_what_dies_between_asking_and_hearing_the_answer_is_asked_again(house: House, district: District) -> None:
    await district.known()
    asked = await district.subscribe()
    really = house.services.lower_teller._ask

    async def dies(*request: Any) -> Reply:
        await really(*request)
        raise asyncio.CancelledError

    house.services.lower_teller._ask = dies
    with pytest.raises(asyncio.CancelledError):
        await district.say()
    assert list(district.memory.subscriptions) == [asked["number"]]
    assert (await district.one())["placed_at"] is None
    await district.passes()
    assert await district.plates() == [PLATE], "it is ours, whether the answer was heard or not"

    house.services.lower_teller = LowerTeller(
        house.services.database, house.services.vault, house.services.settings, house.clock, really,
        lambda host: f"http://{host}:8080",
    )  # fmt: skip
    await district.later(60)
    assert await district.say() == 1
    assert list(district.memory.subscriptions) == [asked["number"]]
    assert [method for method, _ in district.library.door.asked] == ["POST", "POST"]


async def test_one_that_was_asked_and_not_heard_is_taken_back_all_the_same(house: House, district: District) -> None:
    await district.known()
    asked = await district.subscribe()
    really = house.services.lower_teller._ask

    async def unheard(*request: Any) -> Reply:
        await really(*request)
        raise UnavailableError("cut", code="http_no_answer")

    house.services.lower_teller._ask = unheard
    await district.say()
    house.services.lower_teller._ask = really
    await district.withdraw(asked["id"])
    assert await district.say() == 1
    assert district.memory.subscriptions == {}


async def test_one_library_that_does_not_answer_holds_up_no_other(house: House, admin: Any, district: District) -> None:
    other = await admin.ok("POST", "devices", {"kind": "gat1400", "code": LOWER[:-1] + "2", "name": "away"})
    await admin.ok("PUT", f"libraries/{other['id']}", {"url": "http://127.0.0.1:1"})
    for _ in range(3):
        await admin.ok("POST", f"libraries/{other['id']}/subscriptions", {"details": [13]})
    await district.known()
    await district.subscribe()
    assert await district.say() == 1
    tried = [one["last_error"] != "" for one in (await admin.ok("GET", f"libraries/{other['id']}"))["subscriptions"]]
    assert sum(tried) == 1, "what came to nobody is not said three times"


async def test_who_is_forgotten_is_first_told_that_nothing_is_wanted(district: District) -> None:
    await district.known()
    await district.subscribe()
    await district.say()
    assert (await district.admin.ask("DELETE", f"libraries/{district.device}")).status_code == 204
    assert (await district.see())["leaving"] is not None
    await district.say()
    assert district.memory.subscriptions == {}
    await district.say()
    assert (await district.admin.ask("GET", f"libraries/{district.device}")).status_code == 404


async def test_who_does_not_answer_any_more_is_forgotten_after_a_day(house: House, district: District) -> None:
    await district.known()
    await district.subscribe()
    await district.say()
    await district.away()
    await district.admin.ok("DELETE", f"libraries/{district.device}")
    await district.say()
    assert (await district.see())["leaving"] is not None
    await district.later(DAY)
    await district.say()
    assert (await district.admin.ask("GET", f"libraries/{district.device}")).status_code == 404


async def test_with_its_device_a_library_goes(district: District) -> None:
    await district.known()
    await district.subscribe()
    await district.admin.ok("DELETE", f"devices/{district.device}")
    await district.say()
    services = district.house.services
    assert await services.database.read(store.everything) == []


@pytest.mark.parametrize(
    "url",
    ["", "ftp://10.0.0.6", "http://10.0.0.6/VIID", "http://user:pass@10.0.0.6", "10.0.0.6:8200", "http://10.0.0.6:99999"],
)  # fmt: skip
async def test_what_is_no_address_of_a_library_is_refused(district: District, url: str) -> None:
    answer = await district.admin.ask("PUT", f"libraries/{district.device}", {"url": url})
    assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://127.0.0.1:80", "http://0.0.0.0:80"])
async def test_no_address_leads_to_the_machines_own_services(house: House, district: District, url: str) -> None:
    from safecity.web.assembly import ask_lower

    house.services.lower_teller._ask = ask_lower
    await district.admin.ok("PUT", f"libraries/{district.device}", {"url": url})
    await district.subscribe()
    assert await district.say() == 0
    assert "not to be reached" in (await district.one())["last_error"]


async def test_only_what_speaks_the_protocol_is_a_library(admin: Any, district: District) -> None:
    camera = await admin.ok("POST", "devices", {"kind": "gb28181", "code": ITS_CAMERA, "name": "camera"})
    answer = await admin.ask("PUT", f"libraries/{camera['id']}", {"url": "http://10.0.0.6"})
    assert answer.json()["code"] == "lower_not_library"
    answer = await admin.ask("POST", f"libraries/{district.device}/subscriptions", {"details": [13]})
    assert answer.status_code == 404, "nobody said where it is"


async def test_only_administrators_of_its_area_say_so(house: House, admin: Any, district: District) -> None:
    await district.known()
    elsewhere = await admin.ok("POST", "areas", {"name": "elsewhere", "code": "340204", "parent": district.city})
    for name, role, area in (("chief", "supervisor", district.area), ("far", "administrator", elsewhere["id"])):
        grants = [{"role": role, "area": area}]
        await admin.ok("POST", "users", {"username": name, "password": "correct horse battery", "grants": grants})
    for name, status in (("chief", 403), ("far", 404)):
        client = house.client()
        await client.sign_in(name)
        path = f"libraries/{district.device}"
        asked = [("GET", path, None), ("PUT", path, {"url": "http://10.6.6.6"}), ("DELETE", path, None),
                 ("POST", f"{path}/subscriptions", {"details": [13]})]  # fmt: skip
        assert [(await client.ask(*one)).status_code for one in asked] == [status] * 4, name
