"""What measurements of the clock mean, and what of it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safecity.backends.bus import EmbeddedBus
from safecity.backends.history import DayFiles
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.settings.api import Platform
from safecity.core.ground.timekeeping.api import ClockRecord, Timekeeper, TimeServer, servers_of
from safecity.core.ground.timekeeping.decide import STALE_US, judge, wait
from safecity.kit.clock import FakeClock
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.protocols.ntp import Measured

GOLDEN = Path(__file__).resolve().parents[2] / "vectors" / "events"
NOW = 1_700_000_000_000_000


def said(name: str, offset_us: int, *, age_us: int = 0, delay_us: int = 1_000, code: str = "") -> TimeServer:
    return TimeServer(name, NOW - age_us, offset_us, delay_us, 2, code)


def test_servers_are_named_as_people_write_them() -> None:
    assert servers_of("ntp1.example, 192.0.2.1:1123;[2001:db8::1] [2001:db8::2]:9") == (
        ("ntp1.example", 123),
        ("192.0.2.1", 1123),
        ("2001:db8::1", 123),
        ("2001:db8::2", 9),
    )
    assert servers_of("  ") == ()
    for wrong in ("a/b", "a:0", "a:99999", "a b c d e", "$(reboot)", "a:b"):
        with pytest.raises(InvalidError):
            servers_of(wrong)


@pytest.mark.parametrize(
    ("servers", "state", "offset"),
    [
        ([said("a", 400_000)], "good", 400_000),
        ([said("a", 1_000_000)], "good", 1_000_000),
        ([said("a", 1_000_001)], "off", 1_000_001),
        ([said("a", -2_000_000)], "off", -2_000_000),
        ([said("a", 100), said("b", 300)], "good", 200),
        ([said("a", 100), said("b", 90_000_000)], "disagreeing", 45_000_050),
        ([said("a", 100), said("b", 300), said("c", 90_000_000)], "good", 300),
        ([said("a", 5_000_000), said("b", 5_000_100), said("c", 0)], "off", 5_000_000),
        ([said("a", 0, delay_us=3_000_000), said("b", 900_000, delay_us=3_000_000)], "good", 450_000),
        ([said("a", 100, code="ntp_no_answer")], "good", 100),
        ([said("a", 9_000_000, age_us=STALE_US, code="ntp_no_answer")], "silent", 0),
        ([TimeServer("a", code="ntp_no_answer"), TimeServer("b", code="ntp_refused")], "silent", 0),
        ([], "unmeasured", 0),
    ],
)
def test_what_answers_mean_together(servers: list[TimeServer], state: str, offset: int) -> None:
    found = judge("ntp", servers, None, NOW)
    assert (found.state, found.offset_us) == (state, offset)
    assert found.fault is (state in ("off", "disagreeing"))


def test_a_clock_that_nobody_is_asked_about_is_unmeasured() -> None:
    assert judge("system", [said("a", 9_000_000)], True, NOW).state == "unmeasured"
    assert judge("manual", [], False, NOW).kept is False


def test_public_servers_are_asked_seldom_and_one_that_refuses_hardly_ever() -> None:
    assert wait(judge("ntp", [said("a", 0)], None, NOW)) == 300
    assert wait(judge("ntp", [said("a", 9_000_000)], None, NOW)) == 30
    assert wait(judge("ntp", [TimeServer("a", code="ntp_refused")], None, NOW)) == 3600


class House:
    """Settings, servers that say what a test wants, and a bus."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(NOW)
        self.platform = Platform(clock_source="ntp", ntp_server="one two")
        self.offsets: dict[str, int | str] = {"one": 0, "two": 0}
        self.asked: list[str] = []
        self.bus = EmbeddedBus(open_file, folder / "bus.db")
        self.history = DayFiles(open_file, folder / "history")
        self.keeper = Timekeeper(self, self.bus, self.clock, self.ask, lambda: True)  # type: ignore[arg-type]

    async def read(self) -> Platform:
        return self.platform

    async def ask(self, host: str, port: int) -> Measured:
        self.asked.append(f"{host}:{port}")
        says = self.offsets[host]
        if isinstance(says, str):
            raise UnavailableError("no", code=says)
        return Measured(says, 1_000, 2, "GPS")

    async def told(self) -> list[str]:
        found = await self.bus.pull("test", (), 100)
        for _, event in found:
            golden = json.loads((GOLDEN / f"{event.kind}.v1.json").read_text("utf-8"))
            assert golden["body"].keys() <= event.body.keys(), "what was once said is said for ever"
        if found:
            await self.bus.acknowledge("test", found[-1][0])
            await self.history.append([event for _, event in found])
        return [event.body["state"] for _, event in found]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.bus.close()
    await made.history.close()


async def test_a_clock_that_goes_wrong_is_told_once_and_again_when_it_is_right(house: House) -> None:
    assert (await house.keeper.step()).state == "good"
    assert await house.told() == ["good"]
    house.offsets.update(one=2_000_000, two=2_000_000)
    for _ in range(3):
        house.clock.advance(30)
        assert (await house.keeper.step()).offset_us == 2_000_000
    assert await house.told() == ["off"]
    house.offsets.update(one=500, two=700)
    assert (await house.keeper.step()).state == "good"
    assert await house.told() == ["good"]


async def test_while_nothing_changes_it_is_noted_once_an_hour(house: House) -> None:
    for _ in range(25):
        await house.keeper.step()
        house.clock.advance(300)
    assert await house.told() == ["good"] * 3


async def test_a_server_that_falls_silent_keeps_its_last_answer_for_an_hour(house: House) -> None:
    await house.keeper.step()
    house.offsets.update(one="ntp_no_answer", two="ntp_no_answer")
    house.clock.advance(3000)
    standing = await house.keeper.step()
    assert (standing.state, standing.servers[0].code) == ("good", "ntp_no_answer")
    house.clock.advance(3000)
    assert (await house.keeper.step()).state == "silent"


async def test_trying_servers_changes_and_tells_nothing(house: House) -> None:
    house.platform = Platform(clock_source="system")
    await house.keeper.step()
    assert (await house.keeper.test("one:1123")).state == "good"
    assert house.asked == ["one:1123"]
    assert house.keeper.standing.state == "unmeasured"
    assert await house.told() == []


async def test_the_record_of_the_clock_around_a_recording_is_found(house: House) -> None:
    await house.keeper.step()
    await house.told()
    house.offsets.update(one=2_000_000, two=2_000_000)
    house.clock.advance(3 * 3600)
    await house.keeper.step()
    await house.told()
    record = await ClockRecord(house.history, house.keeper).around(NOW, NOW + 60_000_000)
    assert [one["offset_us"] for one in record["measured"]] == [0], "three hours later is another story"
    assert record["now"] == {"state": "off", "offset_us": 2_000_000, "measured_at_us": house.clock.now_us()}
