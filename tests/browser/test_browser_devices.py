"""From a new camera to its alarm: tested or seen to register, heard of by alarm and position, missed when dead."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import add_device, choose, wait_for

from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard, channel_codes

PLAYS = "(channel) => (window.__safecity?.player(channel)?.phase) === 'running'"
CODE = "34020000001320008123"


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@pytest.fixture(scope="module")
def camera(city: Platform, yard: Yard) -> tuple[SimDevice, str]:
    device, [channel] = add_device(city, yard, 8001)
    return device, channel


def test_a_new_device_is_told_what_to_type_and_seen_to_register(
    city: Platform, open_page: Callable[..., Page], yard: Yard
) -> None:
    page = open_page("/devices")
    page.get_by_role("button", name="Add camera").click()
    page.get_by_label("Name", exact=True).fill("North gate")
    code = page.get_by_label("Device code (20 digits)")
    code.fill(CODE[:-1])
    code.blur()
    expect(page.get_by_text("Exactly 20 digits")).to_be_visible()
    code.fill(CODE)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Type this into the device")).to_be_visible(timeout=20_000)
    dialog = page.get_by_role("dialog")
    ports = city.state()["ports"]
    for words in (CODE, city.get("/settings")["code"], str(ports["sip-udp"])):
        expect(dialog.get_by_text(words, exact=True).first).to_be_visible()
    expect(page.get_by_text("Waiting for the device to register")).to_be_visible()
    password = said(page, "Registration password")
    yard.camera(code=CODE, password=password, port=ports["sip-udp"])
    expect(page.get_by_text("The device has registered.")).to_be_visible(timeout=30_000)


def said(page: Page, words: str) -> str:
    """What stands beside these words among the credentials."""
    return page.locator("dl.credential dt", has_text=words).locator("xpath=following-sibling::dd[1]").inner_text()


def test_an_rtsp_address_is_tested_before_it_is_saved(
    city: Platform, open_page: Callable[..., Page], yard: Yard
) -> None:
    server = yard.rtsp(username="viewer", password="seven seas")
    page = open_page("/devices")
    page.get_by_role("button", name="Add camera").click()
    page.get_by_text("RTSP", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Back door")
    page.get_by_label("Address of the stream").fill(f"rtsp://127.0.0.1:{server.port}/1/main")
    page.get_by_label("User name in the camera").fill("viewer")
    page.get_by_label("Password in the camera").fill("wrong")
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    page.get_by_role("button", name="Test").click()
    expect(page.locator("form [role=status]")).to_contain_text("▲", timeout=30_000)
    assert "password" in page.locator("form [role=status]").inner_text().lower()
    expect(save).to_be_disabled()
    page.get_by_label("Password in the camera").fill("seven seas")
    page.get_by_role("button", name="Test").click()
    expect(page.locator("form [role=status]")).to_contain_text("The stream answers: h264", timeout=30_000)
    save.click()
    expect(page.get_by_role("row", name="Back door")).to_be_visible(timeout=20_000)
    channel = until(lambda: next((c["id"] for c in city.channels() if c["name"] == "Back door"), None), "it is listed")
    page.goto(f"{city.base}/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)


def test_an_alarm_comes_with_the_picture_of_its_moment_and_is_acknowledged_by_a_key(
    city: Platform, open_page: Callable[..., Page], yard: Yard, camera: tuple[SimDevice, str]
) -> None:
    device, channel = camera
    page = open_page("/alarms")
    expect(page.get_by_text("No alarms")).to_be_visible(timeout=20_000)
    code = channel_codes(device.state.spec.code, 1)[0]
    yard.run(device.subscriptions.alarm(code, method=5, kind=6, priority=1, description="区域入侵"))
    row = page.get_by_role("row").filter(has_text="区域入侵")
    expect(row).to_be_visible(timeout=20_000)
    expect(row).to_contain_text("Priority 1")
    expect(page.get_by_title("Unacknowledged alarms: 1")).to_be_visible(timeout=20_000)
    picture = row.locator("img")
    wait_for(page, "(image) => image.complete && image.naturalWidth > 100", picture.element_handle())
    row.get_by_role("button", name="Play the moment").click()
    page.wait_for_url(f"**/playback?channels={channel}&at=*")
    page.go_back()
    expect(row).to_be_visible(timeout=20_000)
    page.keyboard.press("a")
    expect(row).to_have_count(0, timeout=20_000)
    [alarm] = city.get("/alarms", state="acknowledged")["items"]
    assert (alarm["acknowledged_by"], alarm["channel"]) == ("admin", channel)


def test_a_device_that_moves_is_asked_where_it_is(
    open_page: Callable[..., Page], camera: tuple[SimDevice, str], city: Platform
) -> None:
    device, channel = camera
    page = open_page(f"/channels/{channel}")
    expect(page.get_by_role("heading", name="Channel settings")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Last position")).to_have_count(0)
    page.goto(f"{city.base}/devices/{city.get(f'/channels/{channel}')['device']}")
    choose(page, "Position reports", "every 5 s")
    page.get_by_role("button", name="Save").click()
    until(lambda: "SUBSCRIBE/MobilePosition" in device.state.heard or None, "the device is asked for positions")
    until(lambda: city.get(f"/channels/{channel}")["position"], "a position has come")
    page.goto(f"{city.base}/channels/{channel}")
    expect(page.get_by_text("Last position")).to_contain_text("km/h", timeout=20_000)


def test_the_health_page_has_the_figures_of_a_stream_and_the_failed_step_of_a_dead_one(
    open_page: Callable[..., Page], yard: Yard, city: Platform
) -> None:
    device, [channel] = add_device(city, yard, 8002)
    name = city.get(f"/channels/{channel}")["name"]
    page = open_page("/health", width=1920, height=1080)
    row = page.get_by_role("row").filter(has_text=name).filter(has_text="Main")
    expect(row).to_contain_text("running", timeout=20_000)

    def figures() -> tuple[str, str] | None:
        """What a camera of ten pictures a second settles to; at first, and on a busy machine, it is less."""
        _, _, _, picture, rate, frames, age, lost, *_ = [cell.inner_text() for cell in row.get_by_role("cell").all()]
        if "bit/s" not in rate or not frames.endswith("/s") or not age.endswith(" s"):
            return None
        bits = float(rate.split("\u202f")[0].split()[0])
        settled = bits > 50 and 8 < float(frames.removesuffix("/s")) < 12 and float(age.split()[0]) < 3
        return (picture, lost) if settled else None

    assert until(figures, "the figures of the stream are those of the camera") == ("H264 320×180", "0 (0.00%)")
    yard.run(device.stop(unregister=False))
    expect(row).to_contain_text("stopped", timeout=40_000)
    page.get_by_role("switch", name="With trouble only").click()
    expect(row).to_be_visible()
    page.get_by_role("tab", name="Processes").click()
    expect(page.get_by_role("row").filter(has_text="media-0")).to_contain_text("MB")
