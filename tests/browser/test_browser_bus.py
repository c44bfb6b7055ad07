"""The cameras of a bus in a browser: in the tree, on the wall, and what the bus recorded itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, SECOND, choose, probe, strip_clock, wait_for

from safecity.sim.camera import recorded_stretch
from safecity.sim.jt808.terminal import SimTerminal
from safecity.sim.yard import Yard

pytestmark = pytest.mark.pictures

SHOTS = ROOT / "output" / "screenshots"
PHONE, PLATE = "13912345678", "皖A12345"
PLAYS = "(channel) => (window.__safecity?.player(channel)?.phase) === 'running'"
SOON = 20_000


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that listens for terminals, and knows one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ENABLED", "true"), ("PORT", "0"), ("ATTACHMENT_PORT", "0"), ("HOST", "127.0.0.1")):
            patch.setenv(f"SAFECITY_JT808__{name}", value)
        platform = Platform(tmp_path_factory.mktemp("bus"))
        try:
            platform.start().setup()
            platform.post("/devices", {"kind": "jt808", "code": PHONE})
            yield platform
        finally:
            platform.stop()


@pytest.fixture(scope="module")
def bus(city: Platform, yard: Yard) -> SimTerminal:
    return yard.vehicle(phone=PHONE, plate=PLATE, port=city.state()["ports"]["jt808-tcp"], channels=(1, 2))


@pytest.fixture(scope="module")
def cameras(city: Platform, bus: SimTerminal) -> list[str]:
    """Their ids, the driver's first."""
    found = until(lambda: list(city.channels()) if len(city.channels()) == 2 else None, "both are listed")
    return [one["id"] for one in sorted(found, key=lambda one: one["code"])]


def test_a_bus_stands_in_the_tree_and_its_cameras_on_the_wall(
    city: Platform, cameras: list[str], open_page: Callable[..., Page], bus: SimTerminal
) -> None:
    page = open_page("/live")
    row = page.get_by_role("treeitem", name=PLATE).first
    expect(row).to_be_visible(timeout=SOON)
    page = open_page(f"/live?size=4&channels={','.join(cameras)}")
    for channel in cameras:
        wait_for(page, PLAYS, channel)
        assert probe(page, channel)["quality"] == "sub"
    clock = until(lambda: strip_clock(page, cameras[0]), "the strip in the picture can be read")
    assert abs(time.time() - clock) < 5, "live is live"
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "bus-wall.png")
    page.close()
    until(lambda: not (bus.cameras and bus.cameras.lines), "the bus was told to stop", 90)


def test_what_the_bus_recorded_itself_is_played_from_it(
    city: Platform, cameras: list[str], open_page: Callable[..., Page]
) -> None:
    at = recorded_stretch(7200 * SECOND, 1800 * SECOND, int(time.time()) * SECOND) // SECOND
    page = open_page(f"/playback?channels={cameras[1]}&at={at * SECOND}")
    page.get_by_text("On the device", exact=True).click()
    video = page.locator(f'video[data-channel="{cameras[1]}"][data-kind="device"]')

    def shown() -> float | None:
        clock = strip_clock(page, cameras[1], "device") if video.count() else None
        return clock if clock is not None and at - 2 <= clock <= at + 60 else None

    until(shown, "a picture of two hours ago")
    page.screenshot(path=SHOTS / "bus-recordings.png")


def test_a_terminal_that_tells_no_cameras_is_given_them_on_its_page(
    city: Platform, open_page: Callable[..., Page]
) -> None:
    device = city.post("/devices", {"kind": "jt808", "code": "13900000009", "name": "old bus"})["id"]
    page = open_page(f"/devices/{device}")
    choose(page, "Cameras", "2 front")
    page.screenshot(path=SHOTS / "bus-device.png")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("old bus 车辆正前方", exact=True)).to_be_visible(timeout=SOON)
    assert [c["code"] for c in city.get("/channels", device=device)["items"]] == ["2"]


def looks(platform: Platform) -> list[tuple[str, str, str]]:
    """(what, purpose, reason) of each look into a vehicle that is written down, oldest first."""
    found = platform.get("/audit", action="vehicle.replay", limit=100)["items"][::-1]
    return [(one["details"].get("what") or one["details"]["order"], one["details"].get("purpose", ""), one["reason"])
            for one in found if one["details"].get("stage") != "answered"]  # fmt: skip


def test_a_picture_is_asked_for_comes_and_is_looked_at_for_a_purpose(
    city: Platform, cameras: list[str], open_page: Callable[..., Page]
) -> None:
    bus = city.get(f"/channels/{cameras[0]}")["device"]
    quiet = city.post("/devices", {"kind": "jt808", "code": "13900000010", "name": "quiet bus"})["id"]
    page = open_page(f"/devices/{quiet}")
    expect(page.get_by_role("heading", name="quiet bus")).to_be_visible(timeout=SOON)
    go(page, f"/devices/{bus}")
    panel = page.get_by_role("region", name="Pictures")
    taking = panel.get_by_role("button", name="Take a picture")
    expect(taking).to_be_enabled(timeout=SOON)
    assert looks(city) == [], "nothing is asked for before a button is pressed"
    choose(page, "Looked at for", "Traffic")
    panel.get_by_role("textbox", name="Reason").fill("case 7")
    taking.click()
    expect(page.get_by_text("The vehicle takes it.")).to_be_visible(timeout=SOON)
    assert looks(city) == [("picture", "traffic", "case 7")]

    picture = panel.get_by_role("img")

    def come() -> bool:
        panel.get_by_role("button", name="Show").click()
        expect(panel.get_by_role("button", name="Show")).to_be_enabled(timeout=SOON)
        return picture.count() == 1

    until(come, "it has come")
    expect(panel).to_contain_text("When asked")
    expect(picture).to_have_js_property("complete", True, timeout=SOON)
    assert picture.evaluate("(image) => image.naturalWidth") > 0, "it is a picture"
    assert looks(city)[1] == ("media", "traffic", "case 7")
    until(lambda: looks(city)[-1] == ("medium", "traffic", "case 7"), "that it was seen is written down, too")
    page.screenshot(path=SHOTS / "bus-pictures.png")
    go(page, f"/devices/{quiet}")
    expect(page.get_by_role("heading", name="quiet bus")).to_be_visible(timeout=SOON)
    expect(panel).to_be_visible()
    expect(picture).to_have_count(0)  # what one vehicle took never stands on the page of another


def go(page: Page, path: str) -> None:
    """As a link of the application does, without loading it anew."""
    page.evaluate("(path) => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)
