"""Recordings in a real browser: a seek lands on the right clock; speed, frames, channels in step, export of a range."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page
from tests.browser.conftest import probe, running, strip_clock, wait_for

from safecity.kit.clock import rfc3339

SECOND = 1_000_000
SHOWN = """([channel, at]) => {
  const p = window.__safecity?.players().find((p) => p.channel === channel && p.kind === 'playback')
  return p && p.phase !== 'seeking' && p.decoded > 0 && Math.abs(p.wall - at) < 2.5e6
}"""


@pytest.fixture(scope="module")
def footage(city: Platform) -> tuple[str, int, int]:
    """A channel with half a minute of footage: its id, start and end (microseconds)."""
    channel = running(city, ptz=False)

    def long_enough() -> tuple[str, int, int] | None:
        now = time.time_ns() // 1000
        pieces = city.get(f"/channels/{channel}/timeline", start=rfc3339(now - 3600 * SECOND), end=rfc3339(now))[
            "pieces"
        ]
        good = pieces and pieces[-1]["end_us"] - pieces[-1]["start_us"] > 40 * SECOND
        # Its last half minute: at its very beginning the camera may still owe the first key frame.
        return (channel, pieces[-1]["end_us"] - 30 * SECOND, pieces[-1]["end_us"]) if good else None

    return until(long_enough, "half a minute is recorded", 90)


def test_a_seek_lands_on_the_clock_in_the_picture(
    open_page: Callable[..., Page], footage: tuple[str, int, int]
) -> None:
    channel, start, _ = footage
    page = open_page(f"/playback?channels={channel}&at={start + 5 * SECOND}")
    wait_for(page, SHOWN, [channel, start + 6 * SECOND])
    page.keyboard.press("k")
    for offset in (20, 8, 14):
        asked = start + offset * SECOND
        seek(page, asked)
        wait_for(page, SHOWN, [channel, asked])
        clock = until(lambda: strip_clock(page, channel, "playback"), "the strip can be read")
        assert abs(clock - asked / 1e6) < 1.2, "the picture says the time that was asked for"
        assert abs(probe(page, channel, "playback")["wall"] / 1e6 - clock) < 1.2


def test_frames_are_stepped_both_ways(open_page: Callable[..., Page], footage: tuple[str, int, int]) -> None:
    channel, start, _ = footage
    page = open_page(f"/playback?channels={channel}&at={start + 10 * SECOND}")
    wait_for(page, SHOWN, [channel, start + 11 * SECOND])
    page.keyboard.press("k")
    page.wait_for_timeout(1000)
    first = until(lambda: strip_clock(page, channel, "playback"), "a clock")
    page.keyboard.press(".")
    forward = until(lambda: newer(strip_clock(page, channel, "playback"), first), "the next frame is shown")
    assert 0 < forward - first < 0.6
    page.keyboard.press(",")
    until(lambda: (strip_clock(page, channel, "playback") or forward) < forward or None, "the frame before is shown")


def test_four_times_as_fast_is_four_times_as_fast(
    open_page: Callable[..., Page], footage: tuple[str, int, int]
) -> None:
    channel, start, _ = footage
    page = open_page(f"/playback?channels={channel}&at={start + 2 * SECOND}")
    wait_for(page, SHOWN, [channel, start + 3 * SECOND])
    page.get_by_label("Speed").select_option("4")
    page.wait_for_timeout(1500)
    first, at = probe(page, channel, "playback")["wall"], time.monotonic()
    page.wait_for_timeout(2500)
    rate = (probe(page, channel, "playback")["wall"] - first) / 1e6 / (time.monotonic() - at)
    assert 2.5 < rate < 5.5


def test_two_channels_play_in_step(
    city: Platform, open_page: Callable[..., Page], footage: tuple[str, int, int]
) -> None:
    other = next(
        c["id"]
        for c in city.channels()
        if c["state"] == "running" and c["id"] != footage[0] and not is_h265(city, c["id"])
    )
    at = footage[2] - 15 * SECOND
    page = open_page(f"/playback?channels={footage[0]},{other}&at={at}")
    wait_for(page, SHOWN, [footage[0], at + SECOND])
    wait_for(page, SHOWN, [other, at + 2 * SECOND])
    page.wait_for_timeout(4000)
    walls = [probe(page, channel, "playback")["wall"] / 1e6 for channel in (footage[0], other)]
    assert abs(walls[0] - walls[1]) < 0.8


def test_a_marked_range_is_exported(
    city: Platform, open_page: Callable[..., Page], footage: tuple[str, int, int]
) -> None:
    channel, start, _ = footage
    page = open_page(f"/playback?channels={channel}&at={start + 4 * SECOND}")
    wait_for(page, SHOWN, [channel, start + 5 * SECOND])
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


def seek(page: Page, at: int) -> None:
    """A click on the timeline where `at` is."""
    canvas = page.locator(".timeline canvas")
    start, end = (float(canvas.get_attribute(f"data-{edge}") or 0) for edge in ("start", "end"))
    # Zoom in far enough that a pixel is a fraction of a second.
    while end - start > 4 * 60 * SECOND:
        page.get_by_label("Zoom in").click()
        page.wait_for_timeout(60)
        start, end = (float(canvas.get_attribute(f"data-{edge}") or 0) for edge in ("start", "end"))
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": (at - start) / (end - start) * box["width"], "y": box["height"] - 8})


def newer(clock: float | None, than: float) -> float | None:
    return clock if clock is not None and clock > than else None


def is_h265(city: Platform, channel: str) -> bool:
    return any(
        s["codec"] == "h265"
        for s in city.get("/health")["streams"]
        if s["channel"] == channel and s["quality"] == "main"
    )
