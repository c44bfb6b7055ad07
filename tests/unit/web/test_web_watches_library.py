"""A library above asks to be watched for something: a proposal to the people here, and nothing before they agree."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.web.test_web_watches import alarms, client_of, follow, hits
from tests.unit.web.viid_client import CAMERA, LIBRARY, ViidClient, jpeg, vehicle, vehicles

from safecity.protocols.gat1400.dispositions import read_disposition
from safecity.protocols.gat1400.objects import read_object
from safecity.protocols.gat1400.resources import BY_NAME

NUMBER = "340200000001022023111506132000001"
GATE = "34020200001210000001"
PASSWORD = "correct horse battery"


def disposition(**more: Any) -> dict[str, Any]:
    return {
        "DispositionID": NUMBER, "Title": "stolen car", "DispositionCategory": "2", "TargetFeature": "皖A·12B45",
        "PriorityLevel": 1, "ApplicantName": "Li", "ApplicantOrg": "bureau", "BeginTime": "20231101000000",
        "EndTime": "20231201000000", "CreatTime": "20231115000000", "OperateType": 0, "DispositionStatus": 0,
        "Reason": "case 7", **more,
    }  # fmt: skip


def listed(*many: dict[str, Any]) -> dict[str, Any]:
    return {"DispositionListObject": {"DispositionObject": list(many)}}


async def joined(house: Any, admin: Any, code: str, address: str, **more: Any) -> ViidClient:
    device = await admin.ok("POST", "devices", {"kind": "gat1400", "code": code, "name": f"name of {code[:6]}", **more})
    client = ViidClient(house.app, code, device["registration"]["password"], address)
    assert (await client.register()).status_code == 200
    return client


@pytest.fixture
async def city(house: Any, admin: Any) -> dict[str, Any]:
    area = (await admin.ok("POST", "areas", {"name": "city", "code": "3402"}))["id"]
    gate = (await admin.ok("POST", "tollgates", {"name": "gate", "code": GATE, "area": area}))["id"]
    for name, role in (("officer", "operator"), ("chief", "supervisor")):
        await admin.ok("POST", "users", {"username": name, "password": PASSWORD, "roles": [role]})
    library = await joined(house, admin, LIBRARY, "10.0.0.6", area=area)
    return {"area": area, "gate": gate, "library": library}


async def watches(client: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", "watches"))["items"]


async def passes(house: Any, admin: Any, reference: str) -> None:
    one = {"tollgate": GATE, "reference": reference, "source": "camera", "plate": "皖A12B45"}
    at = "2023-11-14T22:13:20Z" if reference == "a" else "2023-11-14T22:13:50Z"
    await admin.ok("POST", "sightings", {"items": [{**one, "at": at}]})
    await follow(house)


async def test_it_is_proposed_approved_here_met_and_withdrawn_there(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    library: ViidClient = city["library"]
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    for _ in range(2):  # it was not answered, and sends it again
        assert await library.send("Dispositions", listed(disposition())) == [(NUMBER, 0)]
    (watch,) = await watches(officer)
    assert (watch["state"], watch["plate"], watch["reason"], watch["area"]) == (
        "proposed", "皖A12B45", "case 7", city["area"],
    )  # fmt: skip
    assert watch["proposed_name"].endswith("Li bureau")
    assert watch["origin"].endswith(NUMBER)
    await passes(house, admin, "a")
    assert await alarms(officer) == []
    await chief.ok("POST", f"watches/{watch['id']}/approve")
    await passes(house, admin, "b")
    assert len(await hits(officer)) == 1
    gone = {
        "DispositionObject": disposition(OperateType=1, DispositionRemovePerson="Li", DispositionRemoveReason="over")
    }
    assert (await library.ask("PUT", f"Dispositions/{NUMBER}", gone)).status_code == 200
    (watch,) = await watches(officer)
    assert (watch["state"], watch["ending"]) == ("withdrawn", "Li over")
    assert (await hits(officer))[0]["state"] == "called_off"


async def test_a_changed_wish_asks_again(house: Any, city: dict[str, Any]) -> None:
    library, chief = city["library"], await client_of(house, "chief")
    await library.send("Dispositions", listed(disposition()))
    (first,) = await watches(chief)
    await chief.ok("POST", f"watches/{first['id']}/approve")
    await library.send("Dispositions", listed(disposition(TargetFeature="皖A99999")))
    assert [(one["plate"], one["state"]) for one in await watches(chief)] == [
        ("皖A99999", "proposed"), ("皖A12B45", "withdrawn"),
    ]  # fmt: skip
    answer = await library.ask("DELETE", f"Dispositions?IDList={NUMBER}")
    assert answer.status_code == 200
    assert [one["state"] for one in await watches(chief)] == ["withdrawn", "withdrawn"]


async def test_what_is_no_plate_is_kept_and_said_to_be_no_watch(house: Any, city: dict[str, Any]) -> None:
    library, chief = city["library"], await client_of(house, "chief")
    person = disposition(DispositionID="p", TargetFeature="340202199001011234")
    over = disposition(DispositionID="o", EndTime="20200101000000")
    endless = disposition(DispositionID="e", EndTime="20991231000000")
    answer = (await library.ask("POST", "Dispositions", listed(person, over, endless))).json()
    texts = [one["StatusString"] for one in answer["ResponseStatusListObject"]["ResponseStatusObject"]]
    assert ["only plates" in texts[0], "watch_invalid" in texts[1], texts[2]] == [True, True, "OK"]
    (watch,) = await watches(chief)  # one without end lasts as long as any may
    assert watch["valid_until"] < "2024-06-01"
    await library.send("Dispositions", listed(endless))
    assert len(await watches(chief)) == 1


async def test_a_camera_by_the_same_door_meets_it(house: Any, admin: Any, city: dict[str, Any]) -> None:
    camera = await joined(house, admin, CAMERA, "10.0.0.7", area=city["area"])
    await city["library"].send("Dispositions", listed(disposition()))
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    await chief.ok("POST", f"watches/{(await watches(chief))[0]['id']}/approve")
    await camera.send("MotorVehicles", vehicles(vehicle(1, plate="皖A12B45", picture=jpeg())))
    await follow(house)
    (hit,) = await hits(officer)
    assert (hit["place_name"], hit["pictures"], hit["speed_kmh"]) == ("gate", 1, 43.0)
    (alarm,) = await alarms(officer)
    assert (await officer.ask("GET", f"alarms/{alarm['id']}/picture")).content == jpeg()
    await camera.ask("DELETE", f"MotorVehicles?IDList={vehicle(1)['MotorVehicleID']}")
    await follow(house)
    assert (await hits(officer))[0]["state"] == "taken_back"


async def test_a_camera_proposes_nothing(house: Any, admin: Any, city: dict[str, Any]) -> None:
    camera = await joined(house, admin, CAMERA, "10.0.0.7")
    await camera.send("Dispositions", listed(disposition()))
    assert await watches(await client_of(house, "chief")) == []


@pytest.mark.parametrize(
    ("more", "in_place", "withdraws"),
    [
        ({"OperateType": 0}, False, False), ({"OperateType": 1}, False, False), ({"OperateType": 1}, True, True),
        ({"OperateType": "2"}, False, True), ({"DispositionRemoveTime": "20231115000000"}, False, True),
    ],
)  # fmt: skip
def test_setting_and_withdrawing_are_told_apart(more: dict[str, Any], in_place: bool, withdraws: bool) -> None:
    of = read_object(BY_NAME["Disposition"], disposition(**more))
    assert read_disposition(of, changed_in_place=in_place).withdraws is withdraws


@pytest.mark.parametrize(
    ("target", "plate"),
    [
        ("皖A·12B45", "皖A12B45"), ("皖AD12345", "皖AD12345"), ("AB123CD", "AB123CD"), ("皖A1?B*", "皖A1?B*"),
        ("340202199001011234", ""), ("张三", ""), ("", ""), ("https://10.0.0.1/x.jpg", ""),
    ],
)  # fmt: skip
def test_only_what_can_be_a_plate_is_taken_for_one(target: str, plate: str) -> None:
    assert read_disposition(read_object(BY_NAME["Disposition"], disposition(TargetFeature=target))).plate == plate
