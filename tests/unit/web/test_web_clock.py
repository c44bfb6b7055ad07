"""The clock on the health page, in the wizard's test, and in the statement of an evidence export."""

from __future__ import annotations

from typing import Any

from safecity.kit.errors import UnavailableError
from safecity.protocols.ntp import Measured


async def ask(host: str, port: int) -> Measured:
    if host == "silent.example":
        raise UnavailableError("no", code="ntp_no_answer", params={"server": host})
    return Measured(-2_500_000 if host == "wrong.example" else 1_200, 800, 2, "GPS")


async def test_the_clock_stands_on_the_health_page_for_whoever_sees_all_of_it(house: Any, admin: Any) -> None:
    house.services.timekeeper._ask = ask
    assert (await admin.ok("GET", "health"))["clock"]["state"] == "unmeasured"
    await admin.ok("PATCH", "settings", {"clock_source": "ntp", "ntp_server": "wrong.example, silent.example"})
    await house.services.timekeeper.step()
    clock = (await admin.ok("GET", "health"))["clock"]
    assert (clock["state"], clock["offset_us"]) == ("off", -2_500_000)
    assert "-2.500 s" in clock["sentence"]
    assert [(one["name"], one["code"]) for one in clock["servers"]] == [
        ("wrong.example", ""),
        ("silent.example", "ntp_no_answer"),
    ]
    assert "silent.example" in clock["servers"][1]["sentence"]


async def test_servers_are_tried_before_they_are_chosen(house: Any, admin: Any) -> None:
    house.services.timekeeper._ask = ask
    found = await admin.ok("POST", "wizard/clock/test", {"ntp_server": "right.example"})
    assert (found["state"], found["servers"][0]["offset_us"]) == ("good", 1_200)
    refused = await admin.ask("POST", "wizard/clock/test", {"ntp_server": "rm -rf /"})
    assert (refused.status_code, refused.json()["code"]) == (400, "setting_invalid")
    assert (await admin.ok("GET", "settings"))["ntp_server"] == ""


async def test_a_server_that_is_none_is_not_set(admin: Any) -> None:
    refused = await admin.ask("PATCH", "settings", {"ntp_server": "http://time/"})
    assert refused.json()["code"] == "setting_invalid"
