"""Steering a camera from its tile: each function sends exactly its command, and one person steers at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import add_device, probe, sign_in, wait_for

from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard, channel_codes

PLAYS = "(channel) => (window.__safecity?.player(channel)?.phase) === 'running'"


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@pytest.fixture(scope="module")
def dome(city: Platform, yard: Yard) -> tuple[SimDevice, str]:
    """A camera that notes what it is told, and its channel."""
    device, [channel] = add_device(city, yard, 7001)
    return device, channel


class Ear:
    """What the camera was told since it was last asked."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._from = len(device.state.heard)

    def hears(self, *wanted: str) -> None:
        """These, in this order; repeats of a held key between them do not matter."""

        def all_of_them() -> bool | None:
            told = [line.rpartition(" ")[2] for line in self._device.state.heard[self._from :]]
            rest = iter(told)
            return all(any(each.startswith(one) for each in rest) for one in wanted) or None

        until(all_of_them, f"the camera hears {wanted}, it heard {self._device.state.heard[self._from :]}", 20)
        self._from = len(self._device.state.heard)


def test_every_function_of_the_panel_sends_its_command(
    open_page: Callable[..., Page], dome: tuple[SimDevice, str]
) -> None:
    device, channel = dome
    lens = device.state.channels[channel_codes(device.state.spec.code, 1)[0]].camera.lens
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    page.keyboard.press("z")
    panel = page.get_by_role("region", name="PTZ")
    expect(panel).to_be_visible()
    ear = Ear(device)

    # Mouse: held, then let go. The lens is stopped by the stop of the lens.
    press(page, panel.get_by_label("Up left").bounding_box())
    ear.hears("A50F010A6666", "A50F0100000000B5")
    assert lens.pose.pan < 0 < lens.pose.tilt
    press(page, panel.get_by_label("Open iris").bounding_box())
    ear.hears("A50F0144", "A50F0140000000F5")
    # Keys: focus far at full speed, then a turn of the head while it is still held.
    page.keyboard.down("Shift")
    page.keyboard.down(">")
    ear.hears("A50F0141FF")
    page.keyboard.down("ArrowRight")
    ear.hears("A50F0140000000F5", "A50F0101FF")
    page.keyboard.up("ArrowRight")
    page.keyboard.up(">")
    page.keyboard.up("Shift")
    ear.hears("A50F0100000000B5")

    page.keyboard.press("p")
    panel.get_by_label("No.").fill("5")
    panel.get_by_label("Name of the preset").fill("gate")
    panel.get_by_role("button", name="Save", exact=True).click()
    ear.hears("A50F01810005")
    expect(panel.get_by_role("button", name="5 gate")).to_be_visible()
    panel.get_by_role("button", name="5 gate").click()
    ear.hears("A50F01820005")

    panel.get_by_role("tab", name="Cruise").click()
    panel.get_by_role("combobox", name="Cruise").select_option("3")
    panel.get_by_role("button", name="Add point").click()
    ear.hears("A50F01840305")
    expect(panel.get_by_role("list", name="Points of the cruise")).to_contain_text("gate")
    panel.get_by_label("Dwell, s").fill("10")
    panel.get_by_role("button", name="Save", exact=True).click()
    ear.hears("A50F0187030A")
    panel.get_by_role("button", name="Start").click()
    ear.hears("A50F018803")
    panel.get_by_role("button", name="Stop").last.click()
    ear.hears("A50F0100000000B5")

    panel.get_by_role("tab", name="Scan").click()
    panel.get_by_role("button", name="Left limit here").click()
    panel.get_by_role("button", name="Right limit here").click()
    panel.get_by_role("button", name="Start").click()
    ear.hears("A50F01890101", "A50F01890102", "A50F01890100")

    panel.get_by_role("tab", name="Switches").click()
    panel.get_by_role("button", name="Wiper: On").click()
    ear.hears("A50F018C01")
    assert lens.wiper

    panel.get_by_role("tab", name="Home").click()
    panel.get_by_label("after s").fill("90")
    panel.get_by_role("button", name="On", exact=True).click()
    until(lambda: lens.home.number == 5 or None, "home is where the preset was stored")
    expect(panel.get_by_role("button", name="On", exact=True)).to_have_attribute("aria-pressed", "true")

    # A rectangle over the middle half: the camera zooms into it.
    zoom = lens.pose.zoom
    panel.get_by_label("Zoom to a rectangle").click()
    box = page.locator(".tile-picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.7, steps=4)
    page.mouse.up()
    until(lambda: lens.pose.zoom > zoom * 1.5 or None, "the camera zoomed into the rectangle")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def press(page: Page, box: dict[str, float] | None) -> None:
    """Hold the mouse on it for a moment."""
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(400)
    page.mouse.up()


def test_what_a_camera_lacks_is_not_shown(
    city: Platform, open_page: Callable[..., Page], dome: tuple[SimDevice, str]
) -> None:
    _, channel = dome
    page = open_page(f"/channels/{channel}")
    expect(page.get_by_role("checkbox", name="Light")).to_be_checked(timeout=20_000)
    for lacking in ("Light", "Wiper", "Scan", "Iris"):
        # The group takes its new value an effect later than the click: look until it shows it.
        page.get_by_role("checkbox", name=lacking).click()
        expect(page.get_by_role("checkbox", name=lacking)).not_to_be_checked()
    page.get_by_role("button", name="Save").click()
    until(lambda: "scan" not in city.get(f"/channels/{channel}/ptz")["offers"] or None, "the choice is kept")
    page.goto(f"{city.base}/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    page.keyboard.press("z")
    panel = page.get_by_role("region", name="PTZ")
    expect(panel.get_by_role("tab")).to_have_text(["Presets", "Cruise", "Home"])
    expect(panel.get_by_label("Focus far")).to_be_visible()
    expect(panel.get_by_label("Open iris")).to_have_count(0)
    page.keyboard.press("Escape")
    until(lambda: city.get(f"/channels/{channel}/ptz/lock")["owner"] is None or None, "the lock is given back")


def test_one_steers_at_a_time_and_a_higher_priority_takes_over(
    city: Platform, open_page: Callable[..., Page], dome: tuple[SimDevice, str]
) -> None:
    _, channel = dome
    with closing(sign_in(city, "li", "operator")) as li, closing(sign_in(city, "wang", "operator")) as wang:
        path = f"/live?size=1&channels={channel}"
        first, second = open_page(path, cookies=li.cookies), open_page(path, cookies=wang.cookies)
        for page in (first, second):
            wait_for(page, PLAYS, channel)
        first.keyboard.press("z")
        expect(first.get_by_role("region", name="PTZ")).to_be_visible()
        assert city.get(f"/channels/{channel}/ptz/lock")["owner_name"] == "li"

        # The other sees who, before and after asking; equals do not take it from each other.
        expect(second.get_by_text("PTZ is held by li")).to_be_visible()
        second.keyboard.press("z")
        expect(second.get_by_text("Same or higher priority")).to_be_visible()
        second.get_by_role("button", name="Take over").click()
        expect(second.get_by_role("region", name="PTZ")).to_have_count(0)
        assert city.get(f"/channels/{channel}/ptz/lock")["owner_name"] == "li"

        # An administrator takes it; whoever had it is told at once, and steers no more.
        third = open_page(path)
        wait_for(third, PLAYS, channel)
        third.keyboard.press("z")
        expect(third.get_by_role("region", name="PTZ")).to_be_visible()
        expect(first.get_by_text("admin has taken over PTZ")).to_be_visible()
        expect(first.get_by_role("region", name="PTZ")).to_have_count(0)
        expect(first.get_by_text("PTZ is held by admin")).to_be_visible()

        # Given back, it is free for the next who asks.
        third.keyboard.press("Escape")
        until(lambda: city.get(f"/channels/{channel}/ptz/lock")["owner"] is None or None, "the lock is given back")
        second.get_by_role("button", name="Take PTZ").click()
        expect(second.get_by_role("region", name="PTZ")).to_be_visible()
        assert probe(second, channel)["phase"] == "running"
