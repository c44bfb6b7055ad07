"""What an investigator concludes from many passages, put into a case: the way of a vehicle, who was with it, plates on
two vehicles, and lists of alarms. Each is asked again by the platform, and says what it looked at."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from tests.unit.web.case_city import (
    FAR_GATE,
    GATE,
    PLATE,
    audited,
    blobs,
    client_of,
    passes,
    two_districts,
    wish,
)

BRIDGE = "34020000001210000003"
OTHER = "皖A77777"


@pytest.fixture
async def city(house: Any, admin: Any) -> dict[str, Any]:
    """With a second checkpoint of the first district, ninety kilometres away."""
    ids = await two_districts(house, admin)
    values = {"name": "bridge", "code": BRIDGE, "area": ids["own_area"], "longitude": 118.78, "latitude": 32.06}
    ids["bridge"] = (await admin.ok("POST", "tollgates", values))["id"]
    return ids


@pytest.fixture
async def case(house: Any, city: dict[str, Any]) -> Any:
    """The investigator's own, for public security: the client, and the id."""
    investigator = await client_of(house, "investigator")
    return investigator, (await investigator.ok("POST", "cases", wish(city)))["id"]


async def test_the_way_of_a_vehicle_says_when_it_was_seen_first_where_it_stayed_and_what_no_vehicle_drives(
    house: Any, admin: Any, city: dict[str, Any], case: Any
) -> None:
    investigator, name = case
    await passes(house, admin, "other", plate=OTHER)
    first = await passes(house, admin, "a", later=1200)
    back = await passes(house, admin, "b", later=300)
    far = await passes(house, admin, "c", gate=BRIDGE)
    foreign = await passes(house, admin, "d", gate=FAR_GATE)
    asked = {"plate": PLATE, "stay_minutes": 15, "words": "where it went", "chosen": [first, back, far, back]}
    entry = await investigator.ok("POST", f"cases/{name}/routes", asked)
    assert (entry["kind"], entry["stock"]) == ("search", "passages")
    assert entry["question"] == {"plate": PLATE, "what": "route", "stay_minutes": 15}
    looked = entry["looked"]
    assert (looked["stock"], looked["found"], looked["places"], looked["more"]) == (4, 3, 2, False)
    assert (looked["first_seen"], looked["stays"], looked["impossible"]) == (entry["results"][0]["at"], 1, 1)
    said = [(one["source"], one["details"].get("finding"), one["details"].get("seconds")) for one in entry["results"]]
    assert said == [(first, None, None), (back, "stay", 1200), (far, "impossible", 300)]
    assert 80 < entry["results"][2]["details"]["km"] < 100
    assert [len(one["pictures"]) for one in entry["results"]] == [1, 1, 1]
    assert len(await blobs(house, "cases/")) == 3

    stranger = await investigator.ask("POST", f"cases/{name}/routes", {"plate": PLATE, "chosen": [foreign]})
    assert stranger.status_code == 404, "what they cannot find is on no way of theirs"
    (record,) = [one for one in await audited(admin, "passage.see") if one["details"].get("question") == "route"][:1]
    assert (record["details"]["purpose"], record["details"]["plate"]) == ("security", PLATE)
    table = (await investigator.ask("GET", f"cases/{name}/results.csv", params={"reason": "for the file"})).content
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert [(row["finding"], row["seconds"]) for row in rows] == [
        ("", ""),
        ("stay", "1200.0"),
        ("impossible", "300.0"),
    ]
    (left,) = await audited(admin, "case.export")
    assert (left["reason"], left["details"]["what"]) == ("for the file", "csv")


async def test_companions_go_in_with_both_passages_of_each_meeting(
    house: Any, admin: Any, city: dict[str, Any], case: Any
) -> None:
    investigator, name = case
    own: list[str] = []
    company: list[str] = []
    for number, gate in enumerate((GATE, BRIDGE, GATE)):
        own.append(await passes(house, admin, f"own{number}", gate=gate, later=4))
        company.append(await passes(house, admin, f"with{number}", gate=gate, plate=OTHER, later=300))
    asked = {"plate": PLATE, "seconds": 30, "times": 3, "places": 2, "chosen": [OTHER]}
    entry = await investigator.ok("POST", f"cases/{name}/companions", asked)
    assert entry["question"]["what"] == "companions"
    assert (entry["looked"]["found"], entry["looked"]["stock"], entry["looked"]["rows"]) == (1, 6, 6 + 3)
    met = {one["source"]: one["details"] for one in entry["results"]}
    assert set(met) == {*own, *company}
    for passage in company:
        said = met[passage]
        assert (said["finding"], said["with"], said["seconds"], said["meetings"]) == ("met", PLATE, 4, 3)
    refused = await investigator.ask("POST", f"cases/{name}/companions", {**asked, "chosen": ["皖B00001"]})
    assert refused.status_code == 404, "nobody puts in company that there was not"
    alone = await investigator.ok("POST", f"cases/{name}/companions", {**asked, "times": 4, "chosen": []})
    assert (alone["looked"]["found"], alone["results"]) == (0, []), "that nobody was found is a finding, too"


async def test_a_plate_on_two_vehicles_goes_in_as_its_two_passages(
    house: Any, admin: Any, city: dict[str, Any], case: Any
) -> None:
    investigator, name = case
    here = await passes(house, admin, "here", later=120)
    there = await passes(house, admin, "there", gate=BRIDGE)
    pair = {"start": here, "end": there}
    entry = await investigator.ok("POST", f"cases/{name}/clones", {"kmh": 200, "chosen": [pair]})
    assert entry["question"] == {"what": "clones", "kmh": 200}
    assert (entry["looked"]["rows"], entry["looked"]["found"], entry["looked"]["more"]) == (2, 1, False)
    assert [(one["source"], one["details"]["finding"]) for one in entry["results"]] == [
        (here, "clone"),
        (there, "clone"),
    ]
    assert entry["results"][0]["details"]["seconds"] == 120
    turned = await investigator.ask("POST", f"cases/{name}/clones", {"chosen": [{"start": there, "end": here}]})
    assert turned.status_code == 404


async def test_a_list_of_alarms_goes_in_with_those_that_were_chosen_and_the_footage_around_them(
    house: Any, admin: Any, city: dict[str, Any], case: Any
) -> None:
    investigator, name = case
    body = {"channel": city["channel"], "priority": "1", "method": "5", "type": "6"}
    for _ in range(3):
        await house.publish("alarm.received", city["channel"], body)
        house.clock.advance(120)
    newest, middle, oldest = (await investigator.ok("GET", "alarms"))["items"]
    await investigator.ok("POST", f"alarms/{oldest['id']}/acknowledge", {"note": "a fox"})
    asked = {"state": "raised", "chosen": [newest["id"]], "words": "the same fence"}
    entry = await investigator.ok("POST", f"cases/{name}/alarm-lists", asked)
    assert (entry["stock"], entry["question"]) == ("alarms", {"state": "raised"})
    looked = entry["looked"]
    assert (looked["stock"], looked["found"], looked["oldest"]) == (3, 2, oldest["seen"])
    assert sorted((one["kind"], one["source"], one["held"]) for one in entry["results"]) == [
        ("alarm", newest["id"], False), ("stretch", "", True),
    ]  # fmt: skip
    at_camera = {"channel": city["channel"], "chosen": []}
    entry = await investigator.ok("POST", f"cases/{name}/alarm-lists", at_camera)
    assert (entry["looked"]["places"], entry["looked"]["names"], entry["looked"]["found"]) == (1, ["north"], 3)
    stranger = await client_of(house, "stranger")
    own = (await stranger.ok("POST", "cases", wish(city, area=city["foreign_area"], readers=[])))["id"]
    refused = await stranger.ask("POST", f"cases/{own}/alarm-lists", {"chosen": [middle["id"]]})
    assert refused.status_code == 404
    empty = await stranger.ok("POST", f"cases/{own}/alarm-lists", {})
    assert (empty["looked"]["stock"], empty["looked"]["oldest"]) == (0, None), "nor are they counted for them"
