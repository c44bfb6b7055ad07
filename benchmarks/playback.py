"""How long a person waits for the first picture of another second: `python -m benchmarks.playback`.

    python -m benchmarks.playback [--seeks 60] [--gop 2] [--seconds 60]

A camera (1280x720, 25 pictures a second, 2 Mbit/s) is recorded and then switched off, so that only the platform and the
browser work while it is measured. `seek_first_picture_p95_ms`: from the click on the timeline to the first picture of
that second on the screen of Chromium, half of the times while it plays and half while it stands; `step_p95_ms`: from
the key to the next frame; `socket_seek_p95_ms` and `thumb_p95_ms`: from the wish to the first bytes at the socket.
`failed` counts what took longer than ten seconds. Chromium decodes in software, on the same cores.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from websockets.sync.client import connect

from benchmarks.browser import chromium_page
from benchmarks.whole import Platform, until
from safecity.kit.clock import rfc3339
from safecity.model.values.media import Codec
from safecity.sim.encode import VideoSpec
from safecity.sim.yard import Yard, channel_codes

SECOND = 1_000_000
CODE = "34020000001320000001"
_READY = """(at) => {
  const p = window.__safecity?.players()[0]
  return p && p.phase !== 'seeking' && p.decoded > 0 && Math.abs(p.wall - at) < 2e6
}"""
_EXPECT = """([at, event, unlike]) => {
  window.__shown = new Promise((resolve) => {
    addEventListener(event, () => {
      const began = performance.now()
      const look = () => {
        const p = window.__safecity.players()[0]
        const there = at === null ? p.wall !== unlike : Math.abs(p.wall - at) < 1.2e6
        if (p.phase !== 'seeking' && there) resolve(performance.now() - began)
        else if (performance.now() - began > 10000) resolve(-1)
        else setTimeout(look, 4)
      }
      setTimeout(look, 0)
    }, { once: true, capture: true })
  })
}"""


def percentile(values: list[float], part: float) -> float | None:
    """Nearest rank, without those that failed; None where there are none."""
    good = sorted(value for value in values if value >= 0)
    return round(good[min(len(good) - 1, int(len(good) * part))], 1) if good else None


def record(platform: Platform, yard: Yard, seconds: float, gop: float) -> tuple[str, int, int]:
    """A channel whose camera is gone again, and where its footage begins and ends (microseconds)."""
    platform.post("/devices", {"kind": "gb28181", "name": "camera", "code": CODE, "password": "pass-camera"})
    video = VideoSpec(width=1280, height=720, fps=25, kbps=2000, gop_seconds=gop)
    port = platform.state()["ports"]["sip-udp"]
    device = yard.camera(code=CODE, password="pass-camera", port=port, video=video, sound=Codec.PCMA)
    [wanted] = channel_codes(CODE, 1)
    channel = until(lambda: next((c["id"] for c in platform.channels() if c["code"] == wanted), None), "it is listed")

    def long_enough() -> tuple[str, int, int] | None:
        now = time.time_ns() // 1000
        span = {"start": rfc3339(now - 3600 * SECOND), "end": rfc3339(now)}
        pieces = platform.get(f"/channels/{channel}/timeline", **span)["pieces"]
        good = pieces and pieces[-1]["end_us"] - pieces[-1]["start_us"] > seconds * SECOND
        return (channel, pieces[-1]["start_us"], pieces[-1]["end_us"]) if good else None

    found = until(long_enough, "there is footage", 60 + 2 * seconds)
    yard.run(device.stop())
    return found


def at_the_socket(platform: Platform, channel: str, places: list[int]) -> tuple[list[float], list[float]]:
    """Milliseconds to the first key frame of a seek, and to a thumbnail."""
    ticket = platform.post(f"/channels/{channel}/playback", {"start": rfc3339(min(places) - 60 * SECOND)})
    seeks: list[float] = []
    thumbs: list[float] = []
    with connect(ticket["url"], max_size=None) as client:
        for at in places:
            begun = time.perf_counter()
            client.send(json.dumps({"type": "seek", "at": at}))
            while isinstance(said := client.recv(10), bytes) or json.loads(said)["type"] != "position":
                pass
            while not isinstance(said := client.recv(10), bytes) or said[0] != 2:
                pass
            seeks.append((time.perf_counter() - begun) * 1000)
            begun = time.perf_counter()
            client.send(json.dumps({"type": "thumb", "at": at}))
            while not isinstance(said := client.recv(10), bytes) or said[0] != 5:
                pass
            thumbs.append((time.perf_counter() - begun) * 1000)
    return seeks, thumbs


def on_the_screen(page: Page, platform: Platform, channel: str, places: list[int]) -> tuple[list[float], list[float]]:
    """Milliseconds from the click to the picture, and from the key to the next frame."""
    page.goto(f"{platform.base}/playback?channels={channel}&at={places[0]}")
    page.wait_for_function(_READY, arg=places[0], timeout=30_000)
    canvas = page.locator(".timeline canvas")
    seeks: list[float] = []
    steps: list[float] = []
    for number, at in enumerate(places):
        page.keyboard.press("k")
        if number % 2:
            page.get_by_role("button", name="Play (L)").click()
        while True:
            start, end = (float(canvas.get_attribute(f"data-{edge}") or 0) for edge in ("start", "end"))
            if end - start < 5 * 60 * SECOND:
                break
            page.get_by_label("Zoom in").click()
            page.wait_for_timeout(60)
        box = canvas.bounding_box()
        assert box is not None
        page.evaluate(_EXPECT, [at, "pointerup", None])
        page.mouse.click(box["x"] + (at - start) / (end - start) * box["width"], box["y"] + box["height"] - 8)
        seeks.append(float(page.evaluate("window.__shown")))
        page.keyboard.press("k")
        page.wait_for_timeout(400)
        page.evaluate(_EXPECT, [None, "keydown", page.evaluate("window.__safecity.players()[0].wall")])
        page.keyboard.press(".")
        steps.append(float(page.evaluate("window.__shown")))
    return seeks, steps


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeks", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--gop", type=float, default=2)
    options = parser.parse_args()
    chance = random.Random(3)
    with tempfile.TemporaryDirectory(prefix="safecity-playback-") as folder, Yard() as yard:
        platform = Platform(Path(folder) / "data")
        try:
            platform.start().setup()
            channel, start, end = record(platform, yard, options.seconds, options.gop)
            places = [chance.randrange(start + SECOND, end - 3 * SECOND) for _ in range(options.seeks)]
            socket_seeks, thumbs = at_the_socket(platform, channel, places)
            with chromium_page(platform) as page:
                page.add_init_script("localStorage.setItem('safecity.language', 'en')")
                seeks, steps = on_the_screen(page, platform, channel, places)
        finally:
            platform.stop()
    result: dict[str, Any] = {
        "seek_first_picture_p50_ms": percentile(seeks, 0.5),
        "seek_first_picture_p95_ms": percentile(seeks, 0.95),
        "step_p95_ms": percentile(steps, 0.95),
        "socket_seek_p95_ms": percentile(socket_seeks, 0.95),
        "thumb_p95_ms": percentile(thumbs, 0.95),
        "failed": sum(value < 0 for value in [*seeks, *steps]),
        "seeks": len(seeks),
        "gop_seconds": options.gop,
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
