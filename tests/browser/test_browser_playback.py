"""Recordings in a real browser: seek, speeds, frames, nine in step, thumbnails, gaps, replay, snapshot, export."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import (
    SECOND,
    SHOWN,
    add_device,
    footage_of,
    on_timeline,
    probe,
    seek,
    strip_clock,
    wait_for,
)

from safecity.kit.clock import rfc3339
from safecity.model.values.media import Codec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.profiles import NVR_2022
from safecity.sim.yard import SMALLER, Yard

pytestmark = pytest.mark.pictures

CLEAR = VideoSpec(width=320, height=180, fps=10, kbps=800, gop_seconds=1.0)
"""Small, and so good that the clock can be read in every single picture."""
SMALL_CLEAR = VideoSpec(width=256, height=144, fps=5, kbps=300, gop_seconds=1.0)
SAMPLE = """async ([channel, ms]) => {
  const found = []
  const end = performance.now() + ms
  while (performance.now() < end) {
    const p = window.__safecity.players().find((p) => p.channel === channel)
    found.push([performance.now() / 1e3, p.wall / 1e6])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return found
}"""
CLOCKS = """() => [...document.querySelectorAll('video[data-kind="playback"]')]
  .map((video) => window.readStrip(video)?.ms ?? null)"""
STANDS = """(selector) => {
  const video = document.querySelector(selector)
  return video.paused && !video.seeking && video.readyState >= 2
}"""
STANDING = """() => window.__safecity.players().filter((p) => p.kind === 'playback')"""
WHOSE = """(selector) => {
  const video = document.querySelector(selector)
  return video && window.readStrip(video)
}"""
OPEN_FILE = """async (address) => {
  const video = document.createElement('video')
  video.muted = true
  video.src = address
  await new Promise((good, bad) => {
    video.onloadedmetadata = good
    video.onerror = () => bad(new Error(video.error.message))
  })
  const clock = async (at) => {
    video.currentTime = at
    await new Promise((resolve) => (video.onseeked = resolve))
    await new Promise((resolve) => setTimeout(resolve, 300))
    return window.readStrip(video)?.ms / 1e3
  }
  return [video.duration, await clock(0.5), await clock(video.duration - 0.5)]
}"""
READ_FILE = (
    "async (address) => { const i = new Image(); i.src = address; await i.decode(); return window.readStrip(i)?.ms }"
)


@dataclass(frozen=True)
class Footage:
    """Nine channels, and a time (microseconds) in which all of them are recorded."""

    channels: list[str]
    start: int
    end: int


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@dataclass(frozen=True)
class Cameras:
    """All that the tests look at is recorded at once, so that it is waited for once."""

    nine: list[str]
    """One that can be read well and the eight of a recorder."""
    unsteady: str
    """It went away for some seconds while it was recorded."""
    foreign: str
    """H.265, which a browser without a decoder for it cannot show."""


@pytest.fixture(scope="module")
def cameras(city: Platform, yard: Yard) -> Cameras:
    _, first = add_device(city, yard, 1, video=CLEAR)
    _, others = add_device(city, yard, 2, profile=NVR_2022, channels=8, video=SMALL_CLEAR)
    _, [foreign] = add_device(city, yard, 4, video=VideoSpec(Codec.H265, SMALLER.width, SMALLER.height, 5, 60, 1.0))
    device, [unsteady] = add_device(city, yard, 3, video=SMALL_CLEAR)
    footage_of(city, unsteady, 2)
    yard.run(device.reboot(dark_seconds=6), seconds=40)
    return Cameras([*first, *others], unsteady, foreign)


@pytest.fixture(scope="module")
def footage(city: Platform, cameras: Cameras) -> Footage:
    reaches = [footage_of(city, channel) for channel in cameras.nine]
    return Footage(cameras.nine, max(start for _, start, _ in reaches), min(end for _, _, end in reaches))


def test_a_seek_lands_on_the_clock_in_the_picture(open_page: Callable[..., Page], footage: Footage) -> None:
    channel, start = footage.channels[0], footage.start
    page = open_playback(open_page, channel, start + 5 * SECOND)
    page.keyboard.press("k")
    for offset in (20, 8, 14):
        asked = start + offset * SECOND
        seek(page, asked)
        wait_for(page, SHOWN, [channel, asked])
        clock = until(lambda: strip_clock(page, channel, "playback"), "the strip can be read")
        assert abs(clock - asked / 1e6) < 1.2, "the picture says the time that was asked for"
        assert abs(probe(page, channel, "playback")["wall"] / 1e6 - clock) < 1.2


def test_frames_are_stepped_both_ways(open_page: Callable[..., Page], footage: Footage) -> None:
    channel = footage.channels[0]
    page = open_playback(open_page, channel, footage.start + 10 * SECOND)
    page.keyboard.press("k")
    wait_for(page, STANDS, f'video[data-channel="{channel}"][data-kind="playback"]')
    first = until(lambda: strip_clock(page, channel, "playback"), "a clock")
    page.keyboard.press(".")
    forward = until(lambda: newer(strip_clock(page, channel, "playback"), first), "the next frame is shown")
    assert 0 < forward - first < 0.6
    page.keyboard.press(",")
    until(lambda: strip_clock(page, channel, "playback") == first or None, "the frame before is shown")
    # Faster than pictures can come: each key is a step, none is forgotten and none counts twice.
    for _ in range(5):
        page.keyboard.press(".")
    until(lambda: newer(strip_clock(page, channel, "playback"), first + 0.35), "five frames further")
    page.wait_for_timeout(500)
    for _ in range(5):
        page.keyboard.press(",")
    until(lambda: strip_clock(page, channel, "playback") == first or None, "and five frames back")
    page.wait_for_timeout(500)
    assert strip_clock(page, channel, "playback") == first


@pytest.mark.parametrize("speed", [0.5, 2, 4, 8, 16])
def test_so_many_times_as_fast_is_so_many_times_as_fast(
    open_page: Callable[..., Page], footage: Footage, speed: float
) -> None:
    channel = footage.channels[0]
    page = open_playback(open_page, channel, footage.start + SECOND)
    page.get_by_label("Speed").select_option(f"{speed:g}")
    page.wait_for_timeout(800)
    found = page.evaluate(SAMPLE, [channel, 1000 if speed > 8 else 2000])
    rate = (found[-1][1] - found[0][1]) / (found[-1][0] - found[0][0])
    assert speed * 0.6 < rate < speed * 1.4
    steps = {round(wall, 2) for _, wall in found}
    if speed > 4:
        seconds = found[-1][1] - found[0][1]
        assert len(steps) <= seconds + 2, "only key frames are shown, and this camera makes one each second"


def test_nine_channels_play_and_stand_in_step(open_page: Callable[..., Page], footage: Footage) -> None:
    at = footage.start + 4 * SECOND
    page = open_page(f"/playback?channels={','.join(footage.channels)}&at={at}", width=1600, height=900)
    for channel in footage.channels:
        wait_for(page, SHOWN, [channel, at + 2 * SECOND])
    page.wait_for_timeout(3000)
    playing = until(lambda: clocks(page), "nine clocks can be read")
    assert max(playing) - min(playing) < 0.8, "they play in step"
    page.keyboard.press("k")
    stand_together(page)
    stood = until(lambda: clocks(page), "nine clocks can be read")[0] + 0.15
    for _ in range(3):
        page.keyboard.press(".")
    until(lambda: newer(strip_clock(page, footage.channels[0], "playback"), stood), "the leader steps")
    stand_together(page)
    seek(page, footage.start + 20 * SECOND)
    stand_together(page, footage.start / SECOND + 20)


def test_thumbnails_appear_while_the_pointer_moves_over_the_timeline(
    open_page: Callable[..., Page], footage: Footage
) -> None:
    pair, start = footage.channels[:2], footage.start
    page = open_playback(open_page, ",".join(pair), start + 5 * SECOND)
    page.keyboard.press("k")
    numbers = [
        until(lambda one=one: page.evaluate(WHOSE, f'video[data-channel="{one}"]'), "a strip can be read")["channel"]
        for one in pair
    ]
    for offset, row in ((6, 0), (18, 1), (11, 0), (11, 1)):
        tries: list[dict[str, Any] | None] = []

        def near(seconds: int = offset, line: int = row, seen: list[dict[str, Any] | None] = tries) -> bool | None:
            # A hand is never quite still: what was asked for while the machine was busy is asked for again.
            page.mouse.move(1, 1)
            page.locator(".timeline canvas").hover(position=on_timeline(page, start + seconds * SECOND, line))
            for _ in range(10):
                page.wait_for_timeout(200)
                seen.append(page.evaluate(WHOSE, ".timeline-hover video"))
                if seen[-1] is not None and seen[-1]["channel"] == numbers[line]:
                    off = seen[-1]["ms"] / 1e3 - (start / 1e6 + seconds)
                    if -1.5 < off < 0.3:  # the key frame before it; a pixel is a fraction of a second
                        return True
            return None

        try:
            until(near, "a thumbnail of the moment and the channel under the pointer, as near as key frames allow")
        except AssertionError as error:
            asked = f"camera {numbers[row]} at {start // 1000 + offset * 1000} ms"
            raise AssertionError(f"{error}; {asked}, last seen {tries[-3:]}") from None


def test_the_timeline_tells_gaps_with_their_cause_and_what_is_held(
    city: Platform, open_page: Callable[..., Page], broken: dict[str, Any]
) -> None:
    channel, start, end = broken["channel"], broken["start_us"], broken["end_us"]
    page = open_playback(open_page, channel, start - 4 * SECOND)
    told = page.locator(".tile-stamp")
    expect(told).to_contain_text("Gap: ", timeout=20_000)
    wait_for(page, SHOWN, [channel, end + SECOND])
    page.keyboard.press("k")
    page.locator(".timeline canvas").hover(position=on_timeline(page, (start + end) // 2))
    expect(page.locator(".timeline-hover")).to_contain_text("Gap: ")
    seek(page, start - 5 * SECOND)
    wait_for(page, SHOWN, [channel, start - 5 * SECOND])
    page.keyboard.press("[")
    seek(page, start - 2 * SECOND)
    wait_for(page, SHOWN, [channel, start - 2 * SECOND])
    page.keyboard.press("]")
    page.get_by_role("button", name="Hold", exact=True).click()
    page.get_by_label("Reason or case number").fill("case 18")
    page.get_by_role("button", name="Place hold").click()
    until(lambda: [one for one in city.get("/holds")["items"] if one["channel"] == channel] or None, "a hold is placed")
    held = page.locator(".timeline-hover").get_by_text("held")

    def shown() -> bool | None:
        page.mouse.move(1, 1)
        page.locator(".timeline canvas").hover(position=on_timeline(page, start - 3 * SECOND))
        return held.is_visible() or None

    until(shown, "the timeline tells what is held")


def test_the_last_thirty_seconds_are_shown_again_over_the_live_picture(
    open_page: Callable[..., Page], footage: Footage
) -> None:
    channel = footage.channels[0]
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, "(channel) => window.__safecity?.player(channel)?.phase === 'running'", channel)
    tile = page.locator(f'.tile[data-channel="{channel}"]')
    tile.hover()
    tile.get_by_role("button", name="Replay the last 30 s").click()
    asked = time.time()
    clock = until(lambda: strip_clock(page, channel, "replay"), "the replay shows a picture")
    assert abs(clock - (asked - 30)) < 4
    until(lambda: newer(strip_clock(page, channel, "replay"), clock + 2), "and plays")
    assert abs((strip_clock(page, channel) or 0) - time.time()) < 4, "the live picture goes on beneath"
    tile.hover()
    tile.get_by_role("button", name="Back to live").click()
    expect(page.locator('video[data-kind="replay"]')).to_have_count(0)


def test_a_snapshot_is_the_picture_that_is_shown(open_page: Callable[..., Page], footage: Footage) -> None:
    channel = footage.channels[0]
    page = open_playback(open_page, channel, footage.start + 7 * SECOND)
    page.keyboard.press("k")
    page.wait_for_timeout(1000)
    tile = page.locator(f'.tile[data-channel="{channel}"]')
    tile.hover()
    with page.expect_download() as download:
        tile.get_by_role("button", name="Snapshot").click()
    picture = Path(download.value.path()).read_bytes()
    address = "data:image/png;base64," + base64.b64encode(picture).decode()
    assert page.evaluate(READ_FILE, address) / 1e3 == strip_clock(page, channel, "playback")


def test_a_marked_range_is_exported(city: Platform, open_page: Callable[..., Page], footage: Footage) -> None:
    channel, start = footage.channels[0], footage.start
    page = open_playback(open_page, channel, start + 4 * SECOND)
    page.keyboard.press("k")
    page.keyboard.press("[")
    seek(page, start + 9 * SECOND)
    wait_for(page, SHOWN, [channel, start + 9 * SECOND])
    page.keyboard.press("]")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_label("Reason or case number").fill("case 17")
    page.get_by_role("button", name="Start export").click()
    job = until(lambda: next(iter(city.get("/exports")["items"]), None), "an export is listed")
    assert job["reason"] == "case 17"
    assert job["product"] == "evidence"


def test_a_viewing_copy_over_a_gap_is_one_file_that_a_browser_opens(
    city: Platform, open_page: Callable[..., Page], broken: dict[str, Any]
) -> None:
    start, end = broken["start_us"] - 5 * SECOND, broken["end_us"] + 5 * SECOND
    wish = {"channel": broken["channel"], "start": rfc3339(start), "end": rfc3339(end), "product": "viewing"}
    job = city.post("/exports", {**wish, "reason": "case 19"})
    film = finished(city, job["id"])
    page = open_page("/exports")
    length, first, last = page.evaluate(OPEN_FILE, f"/api/v1/exports/{job['id']}/files/{film}")
    assert abs(length - 10) < 3, "the gap is closed up"
    assert abs(first - (start / 1e6 + 0.5)) < 2
    assert abs(last - (end / 1e6 - 0.5)) < 2


def test_h265_that_the_browser_cannot_decode_is_a_sentence_in_playback(
    city: Platform, open_page: Callable[..., Page], cameras: Cameras
) -> None:
    channel = cameras.foreign
    _, start, _ = footage_of(city, channel, 5)
    page = open_page(f"/playback?channels={channel}&at={start}")
    if page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')"):
        wait_for(page, SHOWN, [channel, start + SECOND])
    else:
        stamp = page.locator(".tile-stamp")
        expect(stamp).to_contain_text("This browser cannot decode H.265", timeout=20_000)
        expect(stamp).to_contain_text("Cannot be shown here")
        page.keyboard.press("k")
        page.wait_for_timeout(500)
        expect(stamp).to_contain_text("Cannot be shown here")
        expect(page.get_by_text("No connection")).to_have_count(0)
        stamp.get_by_role("button", name="Export a viewing copy").click()
        expect(page.get_by_role("radio", name="Viewing copy")).to_be_checked()
        page.get_by_label("Reason or case number").fill("case 20")
        page.get_by_role("button", name="Start export").click()
        job = until(lambda: next((e for e in city.get("/exports")["items"] if e["reason"] == "case 20"), None), "a job")
        assert (job["product"], job["channel"]) == ("viewing", channel)
        film = finished(city, job["id"])
        length, first, _ = page.evaluate(OPEN_FILE, f"/api/v1/exports/{job['id']}/files/{film}")
        assert length > 3, "the browser plays the copy"
        assert abs(first - start / 1e6) < 4, "and it is of the moment that could not be shown"


@pytest.fixture(scope="module")
def broken(city: Platform, cameras: Cameras) -> dict[str, Any]:
    """A channel with a gap of some seconds in its footage: `channel`, `start_us`, `end_us`, `cause`."""
    channel = cameras.unsteady

    def gap() -> dict[str, Any] | None:
        """Only once there is footage behind it: until then it ends at this moment, whatever that is."""
        now = time.time_ns() // 1000
        line = city.get(f"/channels/{channel}/timeline", start=rfc3339(now - 3600 * SECOND), end=rfc3339(now))
        last = line["pieces"][-1]
        good = last["end_us"] - last["start_us"] > 8 * SECOND
        wide = [one for one in line["gaps"] if one["end_us"] - one["start_us"] > 3 * SECOND]
        return wide[-1] if good and wide and wide[-1]["end_us"] <= last["start_us"] + SECOND else None

    return {"channel": channel, **until(gap, "there is footage behind the gap")}


def finished(city: Platform, job: str) -> str:
    """The name of the one film of an export, once it is done."""

    def done() -> dict[str, Any] | None:
        seen = city.get(f"/exports/{job}")
        assert seen["state"] != "failed", seen
        return seen if seen["state"] == "done" else None

    [file] = [one for one in until(done, "the export is done")["files"] if one["name"].endswith(".mp4")]
    return str(file["name"])


def open_playback(open_page: Callable[..., Page], channels: str, at: int) -> Page:
    page = open_page(f"/playback?channels={channels}&at={at}")
    for channel in channels.split(","):
        wait_for(page, SHOWN, [channel, at + SECOND])
    return page


def clocks(page: Page) -> list[float] | None:
    """What the clocks in all nine pictures say at one moment."""
    found = page.evaluate(CLOCKS)
    return [one / 1000 for one in found] if len(found) == 9 and all(found) else None


def stand_together(page: Page, at: float | None = None) -> None:
    def together() -> bool | None:
        seen = clocks(page)
        good = seen is not None and max(seen) - min(seen) < 0.45  # the slow ones show five pictures a second
        return (good and (at is None or abs(seen[0] - at) < 1.5)) or None

    try:
        until(together, "all nine stand at the same moment")
    except AssertionError as none:
        raise AssertionError(f"{none}: {page.evaluate(CLOCKS)} {page.evaluate(STANDING)}") from none


def newer(clock: float | None, than: float) -> float | None:
    return clock if clock is not None and clock > than else None
