"""Vehicles in the browser: a fence drawn by clicks that rings, a journey played with its gap, words for the driver."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT

from safecity.kit.clock import SECOND_US, SystemClock, rfc3339
from safecity.protocols.jt808.terminal import Identity
from safecity.sim.encode import still
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.load import walk
from safecity.sim.jt808.recorded import FILM, PICTURE, Recorded
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec
from safecity.sim.scene.street import Street

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
PHONE, PLATE = "13912345678", "皖A12345"
HOUR = 3600


class Shifted(SystemClock):
    """A clock that is set back."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_us(self) -> int:
        return super().now_us() - round(self.seconds * 1e6)

    def monotonic(self) -> float:
        return super().monotonic() - self.seconds


class Road:
    """One simulated vehicle on a loop of its own."""

    def __init__(self, port: int) -> None:
        self.clock = Shifted()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        identity = Identity(phone=PHONE, plate=PLATE, maker="MAKER", model="BOX-1", imei="867530902150717")
        spec = TerminalSpec(
            identity=identity, host="127.0.0.1", port=port, report_seconds=1e6, retry_seconds=0.2, started_seconds=HOUR
        )  # fmt: skip
        self.terminal = SimTerminal(spec, Drive(Plan(walk(1))), self.clock)
        self.do(lambda: self.terminal.start(first_report_seconds=1e6))

    def do(self, act: Callable[[], object]) -> None:
        async def work() -> None:
            act()

        asyncio.run_coroutine_threadsafe(work(), self.loop).result(60)

    def tell(self, seconds: float) -> None:
        """Report as it was so many seconds ago."""

        def act() -> None:
            self.clock.seconds = seconds
            self.terminal.report_now()

        self.do(act)

    def stand(self, longitude: float, latitude: float, ahead: float) -> None:
        """Report that it is there, with a clock that is so many seconds ahead."""

        def act() -> None:
            self.clock.seconds = -ahead
            there = {"longitude_micro": round(longitude * 1e6), "latitude_micro": round(latitude * 1e6)}
            location = replace(self.terminal.here(), **there)
            self.terminal._carry_out(self.terminal.session.report(location, self.loop.time()))

        self.do(act)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.terminal.stop(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that listens for terminals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFECITY_JT808__ENABLED", "true")
        patch.setenv("SAFECITY_JT808__PORT", "0")
        patch.setenv("SAFECITY_JT808__ATTACHMENT_PORT", "0")
        patch.setenv("SAFECITY_JT808__HOST", "127.0.0.1")
        platform = Platform(tmp_path_factory.mktemp("fleet"))
        try:
            yield platform.start().setup()
        finally:
            platform.stop()


@pytest.fixture(scope="module")
def vehicle(city: Platform) -> Iterator[tuple[str, Road]]:
    """Online, with half an hour behind it of which ten minutes are not known."""
    device = str(city.post("/devices", {"kind": "jt808", "code": PHONE})["id"])
    road = Road(city.state()["ports"]["jt808-tcp"])
    try:
        until(lambda: city.get(f"/devices/{device}")["state"] == "online" or None, "it is online", 60.0)
        past = [1800 - 10 * number for number in range(60)] + [600 - 10 * number for number in range(61)]
        for seconds in past:
            road.tell(seconds)
        now = time.time_ns() // 1000
        span = {
            "start": rfc3339(now - 2 * HOUR * SECOND_US),
            "end": rfc3339(now + HOUR * SECOND_US),
            "purpose": "traffic",
        }
        until(
            lambda: len(city.get(f"/devices/{device}/way", **span)["steps"]) == len(past),
            "its whole way is known",
            60.0,
        )
        until(lambda: city.get(f"/devices/{device}")["position"], "it is on the map", 60.0)
        yield device, road
    finally:
        road.close()


def drawn(page: Page, selector: str) -> int:
    """Pixels of a canvas that are not empty."""
    return page.evaluate(
        "(s) => { const c = document.querySelector(s);"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n }",
        selector,
    )


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 800), (390, 844)])
def test_a_journey_is_played_with_its_stands_its_gap_and_its_speed(
    open_page: Callable[..., Page], vehicle: tuple[str, Road], width: int, height: int
) -> None:
    chinese = width == 1280
    page = open_page("/vehicles", width=width, height=height, language="zh" if chinese else "en")

    def word(english: str, other: str) -> str:
        return other if chinese else english

    page.get_by_role("button", name=PLATE).click()
    page.get_by_role("button", name=word("Replay", "回放"), exact=True).click()
    page.get_by_role("button", name=word("Show", "显示"), exact=True).click()
    sums = page.get_by_text(word("1 gaps", "中断 1 段"))
    expect(sums).to_be_visible(timeout=SOON)
    expect(page.get_by_text(word("Dashed", "虚线"))).to_be_visible()
    timer = page.get_by_role("timer")
    began = timer.inner_text()
    until(lambda: drawn(page, ".fleet-speed") > 200 or None, "the speed is drawn")
    page.get_by_role("combobox", name=word("Pace", "倍速")).locator("..").locator("..").click()
    page.get_by_title("300 ×").click()
    page.get_by_role("button", name=word("Play", "播放"), exact=True).click()
    expect(timer).not_to_have_text(began, timeout=SOON)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"fleet-replay-{width}.png")
    expect(page.get_by_role("button", name=word("Play", "播放"), exact=True)).to_be_visible(timeout=SOON)
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect(timer).to_have_text(began, timeout=SOON)
    with page.expect_download() as saved:
        page.get_by_role("link", name="GPX").click()
    assert "<trkpt" in saved.value.path().read_text("utf-8")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_fence_drawn_on_the_map_rings_when_the_vehicle_comes_in(
    open_page: Callable[..., Page], city: Platform, vehicle: tuple[str, Road]
) -> None:
    device, road = vehicle
    place = city.get(f"/devices/{device}")["position"]
    page = open_page("/vehicles?tab=fences", width=1440, height=900)
    page.get_by_role("button", name="New fence").click()
    page.get_by_role("textbox", name="Name of the fence").fill("Yard")
    save = page.get_by_role("button", name="Save the fence")
    expect(save).to_be_disabled()
    # The only vehicle is what the map shows, and the cross in its middle is where the key takes a place.
    page.get_by_role("application").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 places chosen")).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / "fleet-fence-new.png")
    save.click()
    expect(page.get_by_role("button", name="Yard")).to_be_visible(timeout=SOON)
    (fence,) = city.get("/fences")["items"]
    assert fence["points"][0] == pytest.approx([place["longitude"], place["latitude"]], abs=1e-4)
    for number, east in enumerate((0.006, 0.006, 0.0, 0.0), 1):
        road.stand(place["longitude"] + east, place["latitude"], ahead=10.0 * number)
    (alarm,) = until(lambda: city.get("/alarms")["items"], "it rings", 60.0)
    assert (alarm["type"], alarm["description"], alarm["device"]) == ("fence_enter", "Yard", device)
    page.get_by_role("button", name="Yard").click()
    page.screenshot(path=SHOTS / "fleet-fences.png")
    page.get_by_role("button", name="Change", exact=True).click()
    radius = page.get_by_role("spinbutton", name="Radius in metres")
    expect(radius).to_have_value("200")
    radius.fill("350")
    radius.blur()
    save.click()
    expect(save).to_have_count(0, timeout=SOON)
    assert [one["metres"] for one in city.get("/fences")["items"]] == [350]
    page.goto(f"{city.base_at('127.0.0.1')}/alarms")
    expect(page.get_by_text("Entered a fence").first).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / "fleet-alarm.png")


def test_words_for_the_driver_arrive_and_a_door_needs_the_name(
    open_page: Callable[..., Page], city: Platform, vehicle: tuple[str, Road]
) -> None:
    _, road = vehicle
    page = open_page("/vehicles", width=1440, height=900)
    page.get_by_role("button", name=PLATE).click()
    page.get_by_role("button", name="Write to the driver").click()
    page.get_by_role("textbox", name="Words for the driver").fill("前方拥堵，请绕行")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("The terminal did it.")).to_be_visible(timeout=SOON)
    assert road.terminal.vehicle.texts == ["前方拥堵，请绕行"]
    page.get_by_role("button", name="Lock the doors", exact=True).click()
    go = page.get_by_role("dialog").get_by_role("button", name="Lock the doors", exact=True)
    expect(go).to_be_disabled()
    page.get_by_role("dialog").get_by_role("textbox").fill(PLATE)
    page.screenshot(path=SHOTS / "fleet-doors.png")
    go.click()
    expect(page.get_by_text("The doors are locked.", exact=True)).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / "fleet-vehicles.png")


def test_what_it_recorded_of_an_alarm_and_what_came_through_it_are_shown(
    open_page: Callable[..., Page], city: Platform, vehicle: tuple[str, Road]
) -> None:
    device, road = vehicle
    jpeg = still(Street(seed=1, channel=1).render(road.clock.now_us(), 320, 180, None))
    road.do(lambda: road.terminal.alarm([Recorded(PICTURE, jpeg), Recorded(FILM, b"\0\0\0\1film")], kind=2))
    road.do(lambda: road.terminal.pass_up(0x41, bytes.fromhex("c0ffee")))
    until(lambda: road.terminal.safety.brought, "it has brought it", 60.0)
    page = open_page(f"/devices/{device}", width=1440, height=900)
    taken = page.get_by_role("region", name="Pictures")
    taken.get_by_role("button", name="Show").click()
    expect(taken.get_by_text("On the phone")).to_have_count(2, timeout=SOON)
    expect(taken.get_by_role("link", name="Film · h264")).to_be_visible()
    shown = taken.get_by_role("img", name="On the phone")
    expect(shown).to_be_visible()
    assert shown.evaluate("(one) => one.naturalWidth") == 320
    page.screenshot(path=SHOTS / "fleet-attachments.png")
    page = open_page("/vehicles", width=1440, height=900)
    page.get_by_role("button", name=PLATE).click()
    page.get_by_role("button", name="Transparent data").click()
    expect(page.get_by_role("dialog").get_by_text("c0ffee")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("dialog").get_by_text("Serial port 1")).to_be_visible()
    page.screenshot(path=SHOTS / "fleet-transparent.png")
