"""Watches that go down to libraries below, and the hits that come up for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.web.lower_city import ITS_CAMERA, ITS_GATE, LOWER, PLATE, District, notice_of
from tests.unit.web.test_web_watches import alarms, client_of, follow, hits, moment
from tests.unit.web.test_web_watches_library import disposition, joined, listed
from tests.unit.web.viid_client import LIBRARY, vehicle

from safecity.kit.clock import SECOND_US

PASSWORD = "correct horse battery"


class Watching(District):
    """With somebody who proposes watches and somebody who approves them, both of the whole city."""

    officer: Any
    chief: Any

    async def people(self) -> None:
        for name, role in (("officer", "operator"), ("chief", "supervisor")):
            grants = [{"role": role, "area": self.city}]
            await self.admin.ok("POST", "users", {"username": name, "password": PASSWORD, "grants": grants})
        self.officer, self.chief = await client_of(self.house, "officer"), await client_of(self.house, "chief")

    async def watch(self, **more: Any) -> str:
        """Approved, and said to whom it concerns."""
        wish = {
            "plate": PLATE, "reason": "stolen on Monday", "case_number": "A-7", "area": self.city, "priority": 2,
            "valid_until": moment(self.house, 60 * 24), "seats": ["role:operator"], **more,
        }  # fmt: skip
        made = await self.officer.ok("POST", "watches", wish)
        await self.chief.ok("POST", f"watches/{made['id']}/approve")
        await self.say()
        return made["id"]

    async def withdraw_watch(self, watch: str) -> None:
        await self.chief.ok("POST", f"watches/{watch}/withdraw", {"reason": "found"})

    def answer(self, disposition: str, one: dict[str, Any], number: str = "9") -> dict[str, Any]:
        return {
            "NotificationID": number, "DispositionID": disposition, "Title": "t", "TriggerTime": "20231115061320",
            "CntObjectID": one["MotorVehicleID"], "MotorVehicleObject": one,
        }  # fmt: skip

    async def hit(self, disposition: str, one: dict[str, Any], number: str = "9") -> tuple[int, str]:
        said = await self.send(self.answer(disposition, one, number), "DispositionNotification")
        await follow(self.house)
        return said


@pytest.fixture
async def city(house: Any, admin: Any) -> AsyncIterator[Watching]:
    made = Watching(house, admin)
    await made.settle()
    await made.people()
    await made.known()
    yield made
    await made.close()


async def test_a_watch_of_the_city_stands_in_the_district_and_its_hit_is_one_like_any_other(
    house: Any, city: Watching
) -> None:
    watch = await city.watch()
    (wish,) = city.memory.dispositions.values()
    assert (wish.plate, wish.priority, wish.reason, wish.case_number) == (PLATE, 2, "stolen on Monday", "A-7")
    assert wish.end == house.clock.now_us() + 24 * 3600 * SECOND_US
    assert wish.receive_addr == "http://192.0.2.1:8080/VIID/DispositionNotifications"
    assert (len(wish.id), wish.id[12:14], wish.applicant) == (33, "02", "officer Safecity")
    shown = await city.see()
    assert (shown["watches_wanted"], shown["watches_placed"]) == (1, 1)

    lines = [one for one in (await city.admin.ok("GET", "audit"))["items"] if one["details"].get("disposition")]
    assert [(one["actor_name"], one["object_name"], one["details"]["told"]) for one in lines] == [
        ("district library", PLATE, city.url)
    ]

    await city.passes("皖A00001")
    await city.passes()
    await follow(house)
    (hit,) = await hits(city.officer)
    assert (hit["watch"], hit["plate"], hit["kind"]) == (watch, PLATE, "exact")
    (alarm,) = await alarms(city.officer)
    assert (alarm["method"], alarm["priority"], alarm["state"]) == ("watch", 2, "raised")
    assert alarm["sign_by"] is not None
    assert await city.plates() == [PLATE], "what was not asked for is not told"
    await city.officer.ok("POST", f"alarms/{alarm['id']}/acknowledge", {})


async def test_the_same_hit_told_again_is_one(city: Watching) -> None:
    await city.watch()
    (number,) = city.memory.dispositions
    for _ in range(3):
        assert await city.hit(number, vehicle(1)) == (0, "OK")
    # And the vehicle comes as what we subscribed to, besides.
    subscription = (await city.subscribe())["number"]
    await city.say()
    assert await city.send(notice_of(subscription, vehicle(1))) == (0, "OK")
    await follow(city.house)
    assert len(await hits(city.officer)) == 1
    assert len(await alarms(city.officer)) == 1


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"area": "elsewhere"}, "lies beside it"),
        ({"area": "street"}, "is smaller than it"),
        ({"purpose": "traffic"}, "is not for public security"),
    ],
)
async def test_a_watch_that_is_not_for_the_district_does_not_go_there(
    admin: Any, city: Watching, more: dict[str, str], why: str
) -> None:
    elsewhere = await admin.ok("POST", "areas", {"name": "elsewhere", "code": "340204", "parent": city.city})
    street = await admin.ok("POST", "areas", {"name": "street", "code": "340203001", "parent": city.area})
    places = {"elsewhere": elsewhere["id"], "street": street["id"]}
    await city.watch(**({"area": places[more["area"]]} if "area" in more else more))
    assert city.library.door.asked == [], why


async def test_no_watch_goes_down_where_an_administrator_does_not_want_it(city: Watching) -> None:
    await city.watch()
    assert len(city.memory.dispositions) == 1
    await city.known(watches=False)
    await city.say()
    assert city.memory.dispositions == {}
    await city.known(watches=True)
    await city.say()
    assert len(city.memory.dispositions) == 1, "a new one, for the old one has ended"


async def test_what_a_library_wished_itself_is_not_sent_back_to_it_but_to_those_below(
    house: Any, admin: Any, city: Watching
) -> None:
    above = await joined(house, admin, LIBRARY, "10.0.0.9", area=city.city)
    for client, number in ((city.comes, "1"), (above, "2")):
        until = {"DispositionID": number, "BeginTime": "20231115000000", "EndTime": "20231201000000"}
        assert [code for _, code in await client.send("Dispositions", listed(disposition(**until)))] == [0]
    for one in (await admin.ok("GET", "watches"))["items"]:
        await city.admin.ok("POST", f"watches/{one['id']}/approve")
    await city.say()
    (wish,) = city.memory.dispositions.values()
    assert wish.applicant.startswith(f"name of {LIBRARY[:6]}"), "who lies above is asked for; itself never"
    await above.inner.aclose()


async def test_withdrawn_here_it_is_withdrawn_there_and_what_comes_then_is_refused(city: Watching) -> None:
    watch = await city.watch()
    (number,) = city.memory.dispositions
    await city.withdraw_watch(watch)
    assert await city.hit(number, vehicle(1)) == (4, "not asked for any more"), "before it was told, too"
    await city.say()
    assert city.library.door.asked[-1] == ("PUT", f"/VIID/Dispositions/{number}")
    assert city.memory.dispositions == {}
    assert await city.hit(number, vehicle(1)) == (4, "not asked for any more")
    assert await city.plates() == []


async def test_a_watch_whose_time_is_over_is_withdrawn_there(house: Any, city: Watching) -> None:
    await city.watch(valid_until=moment(house, 10))
    house.clock.advance(601)
    await house.services.watch_duties.step()
    await city.say()
    assert city.memory.dispositions == {}


async def test_a_library_that_was_away_has_the_watch_when_it_is_back(house: Any, city: Watching) -> None:
    await city.away()
    await city.watch()
    assert (await city.see())["watches_placed"] == 0
    await city.back()
    house.clock.advance(100)
    assert (await city.comes.register()).status_code == 200
    await city.say()
    assert len(city.memory.dispositions) == 1
    city.library.forget()
    house.clock.advance(100)
    assert (await city.comes.register()).status_code == 200
    await city.say()
    assert len(city.memory.dispositions) == 1, "it began anew, and had forgotten"


async def test_hits_of_a_watch_of_the_librarys_own_alarm_nobody(city: Watching) -> None:
    await city.watch()
    assert (await city.hit("340203000000022023111506132000001", vehicle(1)))[0] == 0
    await follow(city.house)
    assert await hits(city.officer) == []
    listed = (await city.comes.ask("GET", "DispositionNotifications")).json()["DispositionNotificationListObject"]
    assert len(listed["DispositionNotificationObject"]) == 1


async def test_hits_that_do_not_fit_what_was_asked_are_refused(city: Watching) -> None:
    await city.watch()
    (number,) = city.memory.dispositions
    assert await city.hit(number, vehicle(1, plate="皖A99999")) == (4, "not what was asked for")
    bare = {name: value for name, value in city.answer(number, vehicle(1)).items() if name != "MotorVehicleObject"}
    assert await city.send(bare, "DispositionNotification") == (4, "no vehicle in it")
    await follow(city.house)
    assert await hits(city.officer) == []
    assert await city.plates() == []


async def test_a_hit_of_another_librarys_watch_is_refused(house: Any, admin: Any, city: Watching) -> None:
    await city.watch()
    (number,) = city.memory.dispositions
    other = await joined(house, admin, LOWER[:-1] + "2", "10.0.0.8", area=city.area)
    body = {"DispositionNotificationListObject": {"DispositionNotificationObject": [city.answer(number, vehicle(1))]}}
    assert [code for _, code in await other.send("DispositionNotifications", body)] == [4]
    await other.inner.aclose()


async def test_what_the_library_takes_back_is_no_hit_any_more(city: Watching) -> None:
    await city.watch()
    (number,) = city.memory.dispositions
    await city.hit(number, vehicle(1))
    assert len(await hits(city.officer)) == 1
    answer = await city.comes.ask("DELETE", "DispositionNotifications?IDList=9")
    assert answer.status_code == 200
    await follow(city.house)
    (hit,) = await hits(city.officer)
    assert hit["state"] == "taken_back"
    assert await city.plates() == [], "nobody else told of that vehicle"
    assert [one["state"] for one in await alarms(city.officer)] == ["cleared"]


async def test_a_vehicle_that_was_told_besides_stays_where_only_the_hit_is_taken_back(city: Watching) -> None:
    await city.watch()
    (number,) = city.memory.dispositions
    subscription = (await city.subscribe())["number"]
    await city.say()
    await city.send(notice_of(subscription, vehicle(1)))
    await city.hit(number, vehicle(1))
    assert len(await hits(city.officer)) == 1
    await city.comes.ask("DELETE", "DispositionNotifications?IDList=9")
    await follow(city.house)
    assert [one["state"] for one in await hits(city.officer)] == ["taken_back"]
    assert await city.plates() == [PLATE]


async def test_a_library_that_moved_out_of_the_area_is_asked_no_more(admin: Any, city: Watching) -> None:
    await city.watch()
    elsewhere = await admin.ok("POST", "areas", {"name": "another city", "code": "3403"})
    await admin.ok("PATCH", f"devices/{city.device}", {"area": elsewhere["id"]})
    await city.say()
    assert city.memory.dispositions == {}
    assert (ITS_CAMERA[:6], ITS_GATE[:6]) == ("340203", "340203")
