"""Sound in a real browser: AAC and G.711, in playback and live, heard in time with the picture and never in its way.

The simulated cameras hum quietly, and pip loudly on each whole second of the clock that the picture carries.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page
from tests.browser.conftest import SECOND, SHOWN, add_device, footage_of, probe, seek, strip_clock, wait_for

from safecity.model.values.media import Codec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard

pytestmark = pytest.mark.pictures

HEARS = """([channel, kind, least]) => {
  const p = window.__safecity?.players().find((p) => p.channel === channel && p.kind === kind)
  return p !== undefined && p.sounded > least && Math.abs(p.soundLate) < 0.25
}"""
CATCH_ELEMENTS = """
const play = HTMLMediaElement.prototype.play
HTMLMediaElement.prototype.play = function () {
  if (this instanceof HTMLAudioElement) window.__voice = this
  return play.call(this)
}
"""
LISTEN = """
([channel, kind]) => {
  const find = () => window.__safecity.players().find((p) => p.channel === channel && p.kind === kind)
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  let heardOf = null
  const samples = new Float32Array(512)
  analyser.fftSize = 512
  const level = () => {
    if (!window.__voice) return find().level
    if (heardOf !== window.__voice) {
      heardOf = window.__voice
      context.createMediaStreamSource(heardOf.captureStream()).connect(analyser)
    }
    analyser.getFloatTimeDomainData(samples)
    return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length)
  }
  window.__pips = []
  let before = 0
  setInterval(() => {
    const now = level()
    if (now > 0.08 && before <= 0.08) window.__pips.push(find().wall / 1e6)
    before = now
    window.__level = now
  }, 15)
}
"""


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@dataclass(frozen=True)
class Paused:
    """Footage of a camera with AAC whose microphone paused for a while (microseconds)."""

    device: SimDevice
    channel: str
    start: int
    pause: int
    resume: int


@pytest.fixture(scope="module")
def talking(city: Platform, yard: Yard) -> str:
    """A channel with G.711; it is recorded while the other one is."""
    _, [channel] = add_device(city, yard, 2, sound=Codec.PCMA)
    return channel


@pytest.fixture(scope="module")
def aac(city: Platform, yard: Yard, talking: str) -> Paused:
    device, [channel] = add_device(city, yard, 1, sound=Codec.AAC)
    _, start, _ = footage_of(city, channel, 16)
    pause = time.time_ns() // 1000
    microphone(yard, device, on=False)
    footage_of(city, channel, 24)
    resume = time.time_ns() // 1000
    microphone(yard, device, on=True)
    return Paused(device, channel, start, pause, resume)


@pytest.fixture(scope="module")
def g711(city: Platform, talking: str) -> tuple[str, int, int]:
    return footage_of(city, talking, 16)


def test_recorded_aac_is_heard_and_the_pictures_obey_as_ever(open_page: Callable[..., Page], aac: Paused) -> None:
    channel, start = aac.channel, aac.start
    page = open_page("/live")
    page.add_init_script(CATCH_ELEMENTS)
    page.goto(f"{page.url.removesuffix('/live')}/playback?channels={channel}&at={start + 2 * SECOND}")
    wait_for(page, SHOWN, [channel, start + 3 * SECOND])
    turn_on(page, channel)
    wait_for(page, HEARS, [channel, "playback", 3000])
    assert probe(page, channel, "playback")["sound"] == "element"
    pips_fall_on_whole_seconds(page, channel, "playback")

    page.keyboard.press("k")
    seek(page, start + 9 * SECOND)
    wait_for(page, SHOWN, [channel, start + 9 * SECOND])
    first = until(lambda: strip_clock(page, channel, "playback"), "a clock")
    assert abs(first - (start / SECOND + 9)) < 1.2
    page.keyboard.press(".")
    until(lambda: (strip_clock(page, channel, "playback") or first) > first or None, "the next frame is shown")

    page.get_by_label("Speed").select_option("4")
    page.wait_for_timeout(800)
    first, at = probe(page, channel, "playback")["wall"], time.monotonic()
    page.wait_for_timeout(1500)
    rate = (probe(page, channel, "playback")["wall"] - first) / 1e6 / (time.monotonic() - at)
    assert 2.4 < rate < 5.6
    page.keyboard.press("j")
    turned = probe(page, channel, "playback")["wall"]
    until(lambda: probe(page, channel, "playback")["wall"] < turned - 1.5e6 or None, "it runs backwards")
    assert page.evaluate("window.__voice.paused"), "backwards there is silence"

    heard = probe(page, channel, "playback")["sounded"]
    page.keyboard.press("l")
    wait_for(page, HEARS, [channel, "playback", heard + 1500])


def test_recorded_pictures_go_on_where_the_microphone_paused(open_page: Callable[..., Page], aac: Paused) -> None:
    page = open_page(f"/playback?channels={aac.channel}&at={aac.pause - 3 * SECOND}")
    wait_for(page, SHOWN, [aac.channel, aac.pause - 2 * SECOND])
    turn_on(page, aac.channel)
    wait_for(page, SHOWN, [aac.channel, aac.pause + 3 * SECOND])
    first, at = probe(page, aac.channel, "playback"), time.monotonic()
    page.wait_for_timeout(2500)
    then, passed = probe(page, aac.channel, "playback"), time.monotonic() - at
    assert then["sounded"] - first["sounded"] < 1500, "there is nothing to hear"
    assert (then["wall"] - first["wall"]) / 1e6 > passed * 0.8
    wait_for(page, SHOWN, [aac.channel, aac.resume + 2 * SECOND])
    wait_for(page, HEARS, [aac.channel, "playback", then["sounded"] + 3000])


def test_a_live_picture_goes_on_where_its_microphone_pauses(
    open_page: Callable[..., Page], yard: Yard, aac: Paused
) -> None:
    page = open_page(f"/live?size=1&channels={aac.channel}")
    wait_for(page, "(channel) => window.__safecity?.player(channel)?.phase === 'running'", aac.channel)
    turn_on(page, aac.channel)
    wait_for(page, HEARS, [aac.channel, "live", 3000])
    assert probe(page, aac.channel)["sound"] == "element"
    microphone(yard, aac.device, on=False)
    try:
        page.wait_for_timeout(4000)
        first, at = probe(page, aac.channel), time.monotonic()
        page.wait_for_timeout(3000)
        then, passed = probe(page, aac.channel), time.monotonic() - at
        assert then["currentTime"] - first["currentTime"] > passed * 0.8
        assert then["phase"] == "running"
        clock = until(lambda: strip_clock(page, aac.channel), "the strip can be read")
        assert abs(time.time() - clock) < 3, "and is live"
    finally:
        microphone(yard, aac.device, on=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "safecity.test"], ids=["secure", "insecure"])
def test_recorded_g711_is_heard(open_page: Callable[..., Page], g711: tuple[str, int, int], host: str) -> None:
    channel, start, _ = g711
    page = open_page(f"/playback?channels={channel}&at={start + 2 * SECOND}", host=host)
    wait_for(page, SHOWN, [channel, start + 3 * SECOND])
    turn_on(page, channel)
    wait_for(page, HEARS, [channel, "playback", 8000])
    assert probe(page, channel, "playback")["sound"] == ("worklet" if host == "127.0.0.1" else "buffers")
    pips_fall_on_whole_seconds(page, channel, "playback")
    page.keyboard.press("k")
    page.wait_for_timeout(500)
    assert page.evaluate("window.__level") < 0.001, "what was sent ahead is not heard once it pauses"


@pytest.mark.parametrize("host", ["127.0.0.1", "safecity.test"], ids=["secure", "insecure"])
def test_live_g711_is_heard(open_page: Callable[..., Page], g711: tuple[str, int, int], host: str) -> None:
    channel = g711[0]
    page = open_page(f"/live?size=1&channels={channel}", host=host)
    wait_for(page, "(channel) => window.__safecity?.player(channel)?.phase === 'running'", channel)
    turn_on(page, channel)
    wait_for(page, HEARS, [channel, "live", 8000])
    assert probe(page, channel)["sound"] == ("worklet" if host == "127.0.0.1" else "buffers")
    page.evaluate(LISTEN, [channel, "live"])
    wait_for(page, "() => window.__pips.length >= 4")


def microphone(yard: Yard, device: SimDevice, *, on: bool) -> None:
    yard.change(lambda: setattr(device.faults, "no_sound", not on))


def turn_on(page: Page, channel: str) -> None:
    tile = page.locator(f'.tile[data-channel="{channel}"]')
    tile.hover()
    tile.get_by_role("button", name="Sound", exact=True).click()


def pips_fall_on_whole_seconds(page: Page, channel: str, kind: str) -> None:
    """The ear and the eye are at the same moment: the loud part of each second begins where the second does."""
    page.evaluate(LISTEN, [channel, kind])
    wait_for(page, "() => window.__pips.length >= 5")
    beside = sorted(abs(at - round(at)) for at in page.evaluate("window.__pips"))
    assert beside[len(beside) // 2] < 0.3, beside
