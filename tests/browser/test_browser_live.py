"""Live pictures in a real browser: they advance, they are now, they obey PTZ, and a dead camera is seen to be dead."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import add_device, mortal, probe, running, strip_clock, wait_for

from safecity.model.values.media import Codec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.profiles import CAMERA_2016
from safecity.sim.yard import SMALLER, Yard

pytestmark = pytest.mark.pictures

PLAYS = "(channel) => (window.__safecity?.player(channel)?.phase) === 'running'"


def test_the_first_link_leads_to_a_picture(city: Platform, open_page: Callable[..., Page]) -> None:
    channel = running(city, ptz=False)
    page = open_page("/live")
    page.locator(f"#tree-{channel}").dblclick()
    wait_for(page, PLAYS, channel)


def test_live_video_advances_and_is_live(city: Platform, open_page: Callable[..., Page]) -> None:
    channel = running(city)
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    before = probe(page, channel)
    page.wait_for_timeout(3000)
    after = probe(page, channel)
    assert after["currentTime"] > before["currentTime"] + 1.5
    assert after["decoded"] > before["decoded"] + 8
    clock = until(lambda: strip_clock(page, channel), "the strip in the picture can be read")
    assert abs(time.time() - clock) < 3
    assert abs(after["wall"] / 1e6 - clock) < 4, "the line on the tile tells the time of the shown picture"
    assert after["held"] < 15, "what was shown does not pile up"


def test_a_wall_of_four_plays_the_sub_streams(city: Platform, open_page: Callable[..., Page]) -> None:
    channels = [c["id"] for c in city.channels() if c["state"] == "running" and "sub" in c["qualities"]][:4]
    page = open_page(f"/live?size=4&channels={','.join(channels)}")
    for channel in channels:
        wait_for(page, PLAYS, channel)
        assert probe(page, channel)["quality"] == "sub"
    page.keyboard.press("2")
    assert page.locator(".tile.chosen").get_attribute("data-channel") == channels[1]


def test_h265_gives_way_to_a_sub_stream_the_browser_knows(city: Platform, open_page: Callable[..., Page]) -> None:
    streams = until(lambda: [s for s in city.get("/health")["streams"] if s["codec"] == "h265"] or None, "H.265 runs")
    channel = streams[0]["channel"]
    page = open_page(f"/live?size=1&channels={channel}", width=1920, height=1080)
    wait_for(page, PLAYS, channel)
    shown = probe(page, channel)
    can = page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')")
    assert (shown["codec"], shown["quality"]) == (("h265", "main") if can else ("h264", "sub"))


def test_h265_without_a_sub_stream_ends_in_a_sentence(
    city: Platform, open_page: Callable[..., Page], yard: Yard
) -> None:
    video = VideoSpec(Codec.H265, SMALLER.width, SMALLER.height, 5, 60, 1.0)
    _, [channel] = add_device(city, yard, 6, video=video, profile=CAMERA_2016)
    assert city.get(f"/channels/{channel}")["qualities"] == ["main"]
    page = open_page(f"/live?size=4&channels={channel}")
    if page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')"):
        wait_for(page, PLAYS, channel)
        return
    stamp = page.locator(f'.tile[data-channel="{channel}"] .tile-stamp')
    expect(stamp).to_contain_text("This browser cannot decode H.265", timeout=20_000)
    expect(stamp).to_contain_text("Cannot be shown here")
    page.wait_for_timeout(4000)
    expect(stamp).to_contain_text("Cannot be shown here")
    assert probe(page, channel)["phase"] == "unsupported", "nothing that comes later takes the sentence away"


def test_an_arrow_key_moves_the_picture(city: Platform, open_page: Callable[..., Page]) -> None:
    channel = running(city, ptz=True)
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    page.evaluate(WATCH_MOVEMENT, channel)
    page.wait_for_timeout(2500)
    calm = page.evaluate("window.__moved")
    page.keyboard.down("ArrowRight")
    page.wait_for_timeout(2500)
    page.keyboard.up("ArrowRight")
    moved = page.evaluate("window.__moved")
    assert moved > calm * 1.5 + 2, f"the view hardly changed: {calm} before, {moved} while steering"
    lock = city.get(f"/channels/{channel}/ptz/lock")
    assert lock["owner_name"] == "admin"


def test_a_dead_camera_is_stamped_as_stale(city: Platform, open_page: Callable[..., Page], yard: Yard) -> None:
    device, channel = mortal(city, yard, 9001)
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    yard.run(device.stop(unregister=False))
    wait_for(page, "(channel) => ['stale', 'lost'].includes(window.__safecity.player(channel).phase)", channel)
    tile = page.locator(f'.tile[data-channel="{channel}"]')
    assert {"stale", "lost"} & set((tile.get_attribute("class") or "").split())
    assert "No" in tile.locator(".tile-stamp").inner_text()
    dimmed = page.evaluate("() => getComputedStyle(document.querySelector('.tile video')).filter")
    assert "brightness" in dimmed


WATCH_MOVEMENT = """
(channel) => {
  const video = document.querySelector(`video[data-channel="${channel}"]`)
  const canvas = document.createElement('canvas')
  canvas.width = 64
  canvas.height = 30
  const context = canvas.getContext('2d', { willReadFrequently: true })
  let before = null
  window.__moved = 0
  setInterval(() => {
    context.drawImage(video, 0, video.videoHeight * 0.2, video.videoWidth, video.videoHeight * 0.7, 0, 0, 64, 30)
    const now = context.getImageData(0, 0, 64, 30).data
    if (before) {
      let sum = 0
      for (let at = 0; at < now.length; at += 4) sum += Math.abs(now[at] - before[at])
      window.__moved = Math.max(window.__moved, sum / (now.length / 4))
    }
    before = now
  }, 400)
}
"""
