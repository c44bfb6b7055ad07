"""What a recorder has recorded itself, in a browser: seen on the timeline, played, sought, hurried, paused, fetched."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import SECOND, add_device, probe, seek, sign_in, strip_clock, wait_for

from safecity.kit.clock import rfc3339
from safecity.model.values.media import Codec
from safecity.sim.camera import recorded_stretch
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.profiles import NVR_2022
from safecity.sim.yard import SMALLER, Yard

CLEAR = VideoSpec(width=320, height=180, fps=10, kbps=800, gop_seconds=1.0)
OPEN_FILE = """async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const video = document.createElement('video')
  video.muted = true
  video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/mp4' }))
  await new Promise((good, bad) => {
    video.onloadeddata = good
    video.onerror = () => bad(new Error(video.error.message))
  })
  const clock = async (at) => {
    video.currentTime = at
    await new Promise((resolve) => (video.onseeked = resolve))
    await new Promise((resolve) => setTimeout(resolve, 300))
    return window.readStrip(video)?.ms / 1e3
  }
  return [await clock(0.5), await clock(1e9)]
}"""


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@pytest.fixture(scope="module")
def recorder(city: Platform, yard: Yard) -> tuple[SimDevice, list[str]]:
    return add_device(city, yard, 5001, profile=NVR_2022, channels=2, video=CLEAR)


def long_ago(hours: float = 2) -> int:
    """Before the platform knew the device: nobody but the device has that."""
    whole_minute = int(time.time() // 60 * 60) * SECOND
    return recorded_stretch(round(hours * 3600) * SECOND, 1800 * SECOND, whole_minute)


def opened(open_page: Callable[..., Page], channel: str, at: int, **how: Any) -> Page:
    page = open_page(f"/playback?channels={channel}&at={at}", **how)
    page.get_by_text("On the device", exact=True).click()
    return page


def picture_at(page: Page, channel: str, least: float, most: float, what: str) -> float:
    """The clock in the picture, once it lies between the two (seconds)."""

    video = page.locator(f'video[data-channel="{channel}"][data-kind="device"]')

    def found() -> float | None:
        clock = strip_clock(page, channel, "device") if video.count() else None
        return clock if clock is not None and least <= clock <= most else None

    return until(found, what)


def told(page: Page) -> float:
    """What the line under the picture says, seconds."""
    return float(page.locator(".tile-line time").get_attribute("data-wall") or 0) / 1e6


def test_what_only_the_device_has_is_played_and_sought_and_its_time_is_reckoned(
    city: Platform, open_page: Callable[..., Page], recorder: tuple[SimDevice, list[str]]
) -> None:
    device, [channel, _] = recorder
    at = long_ago()
    page = open_page(f"/playback?channels={channel}&at={at}")
    expect(page.locator('video[data-kind="playback"]')).to_have_count(1)
    assert not city.get(f"/channels/{channel}/timeline", start=rfc3339(at), end=rfc3339(at + 600 * SECOND))["pieces"]
    page.get_by_text("On the device", exact=True).click()
    clock = picture_at(page, channel, at / 1e6 - 1, at / 1e6 + 120, "a picture of the time asked for")
    assert abs(told(page) - clock) < 4, "the time that is told is the time in the picture"
    picture_at(page, channel, clock + 3, clock + 60, "and it plays")
    there = at + 40 * SECOND
    seek(page, there)
    clock = picture_at(page, channel, there / 1e6 - 1, there / 1e6 + 25, "the place that was clicked")
    assert abs(told(page) - clock) < 4
    back = at - 1800 * SECOND
    page.goto(f"{city.base}/playback?channels={channel}&source=device&at={back}")
    picture_at(page, channel, back / 1e6 - 1, back / 1e6 + 25, "the address names source and instant")
    assert len(device.sessions.running) <= 4, "the recorder's few sessions are given back"


def test_it_pauses_goes_on_and_goes_faster_and_ends_when_one_leaves(
    open_page: Callable[..., Page], recorder: tuple[SimDevice, list[str]]
) -> None:
    device, [_, channel] = recorder
    at = long_ago(3)
    page = opened(open_page, channel, at)
    clock = picture_at(page, channel, at / 1e6 - 1, at / 1e6 + 20, "a picture")
    page.keyboard.press("k")
    wait_for(page, "(c) => window.__safecity.player(c)?.phase === 'paused'", channel)
    page.wait_for_timeout(1500)
    stands = strip_clock(page, channel, "device")
    page.wait_for_timeout(2500)
    assert strip_clock(page, channel, "device") == stands, "it stands"
    page.keyboard.press("l")
    clock = picture_at(page, channel, (stands or 0) + 2, (stands or 0) + 30, "it goes on from there")
    page.get_by_label("Speed").select_option("4")
    began = time.monotonic()
    later = picture_at(page, channel, clock + 32, clock + 300, "half a minute further")
    assert (later - clock) / (time.monotonic() - began) > 1.5, "faster than it was recorded"
    assert abs(told(page) - later) < 12
    page.get_by_text("Here", exact=True).click()
    expect(page.locator('video[data-kind="device"]')).to_have_count(0)
    until(
        lambda: not any(one.history for one in list(device.sessions.running.values())) or None, "the device is let go"
    )


def test_the_timeline_shows_what_the_device_holds_and_says_where_it_holds_nothing(
    city: Platform, open_page: Callable[..., Page], recorder: tuple[SimDevice, list[str]]
) -> None:
    _, [channel, _] = recorder
    page = opened(open_page, channel, long_ago())
    light = (
        "() => { const c = document.querySelector('.timeline canvas'); const x = c.getContext('2d');"
        " const p = x.getImageData(Math.round(c.width * 0.3), Math.round((22 + 10) * devicePixelRatio), 1, 1).data;"
        " return p[0] + p[1] + p[2] }"
    )
    until(lambda: page.evaluate(light) > 180 or None, "the stretch is drawn as footage")
    empty = long_ago(24 * 9)
    page.goto(f"{city.base}/playback?channels={channel}&source=device&at={empty}")
    expect(page.get_by_text("The device has recorded nothing in this stretch.")).to_be_visible(timeout=20_000)
    stamp = page.locator(".tile-stamp")
    expect(stamp).to_contain_text("The device refused the request", timeout=20_000)
    expect(stamp.get_by_role("button", name="Try again")).to_be_visible()


def test_a_marked_stretch_is_fetched_as_a_file_that_plays(
    open_page: Callable[..., Page], recorder: tuple[SimDevice, list[str]]
) -> None:
    device, [channel, _] = recorder
    at = long_ago()
    page = opened(open_page, channel, at)
    picture_at(page, channel, at / 1e6 - 1, at / 1e6 + 20, "a picture")
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Fetch", exact=True)).to_be_disabled()
    # It plays on from where it was told to go: a mark is of that place at once, and of a later one later.
    seek(page, at + 5 * SECOND)
    page.keyboard.press("[")
    seek(page, at + 25 * SECOND)
    page.keyboard.press("]")
    page.get_by_role("button", name="Fetch", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Fetch from the device")
    with page.expect_download(timeout=60_000) as download:
        dialog.get_by_role("button", name="Start").click()
    name = download.value.suggested_filename
    assert name.endswith(".mp4"), name
    film = Path(download.value.path()).read_bytes()
    first, last = page.evaluate(OPEN_FILE, base64.b64encode(film).decode())
    assert abs(first - (at / 1e6 + 5)) < 5, "it begins where the mark was set"
    assert 12 < last - first < 30, "and is as long as the range"
    expect(page.get_by_role("region", name="Fetched from devices")).to_contain_text("Saved: ", timeout=20_000)
    until(
        lambda: not any(one.purpose.name == "DOWNLOAD" for one in list(device.sessions.running.values())) or None,
        "the device was thanked",
    )


def test_h265_on_the_device_is_a_sentence_where_the_browser_cannot(
    city: Platform, open_page: Callable[..., Page], yard: Yard
) -> None:
    video = VideoSpec(Codec.H265, SMALLER.width, SMALLER.height, 5, 60, 1.0)
    _, [channel] = add_device(city, yard, 5002, video=video)
    page = opened(open_page, channel, long_ago())
    if page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')"):
        picture_at(page, channel, 0, time.time(), "it plays")
        return
    stamp = page.locator(".tile-stamp")
    expect(stamp).to_contain_text("This browser cannot decode H.265", timeout=30_000)
    expect(stamp).to_contain_text("Cannot be shown here")


def test_a_recorder_that_is_full_says_so_and_whoever_may_not_export_is_offered_no_fetch(
    city: Platform, open_page: Callable[..., Page], yard: Yard, recorder: tuple[SimDevice, list[str]]
) -> None:
    device, [channel, _] = recorder
    yard.change(lambda: setattr(device.state.faults, "refuse", 486))
    with closing(sign_in(city, "watches", "viewer")) as client:
        page = opened(open_page, channel, long_ago(), cookies=dict(client.cookies))
        stamp = page.locator(".tile-stamp")
        expect(stamp.get_by_role("button", name="Try again")).to_be_visible(timeout=30_000)
        assert len(stamp.inner_text()) > 30
        expect(page.get_by_role("button", name="Fetch", exact=True)).to_have_count(0)
        yard.change(lambda: setattr(device.state.faults, "refuse", 0))
        stamp.get_by_role("button", name="Try again").click()
        until(lambda: strip_clock(page, channel, "device"), "once there is room again, it plays")
    assert probe(page, channel, "playback")["codec"] == "h264"
