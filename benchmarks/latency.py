"""From the clock in the picture to the clock on the screen, in Chromium; and from a PTZ key to the moved picture.

    python -m benchmarks.latency [--seconds 20] [--no-impaired]

Keys: `p95_ms` (clean loopback), `impaired_p95_ms` (400 ms delay, 50 ms jitter, 0.1 % loss between camera and platform),
`ptz_p95_ms` (key press to the first picture that moved, less nothing). All processes share this machine's cores with
the browser's software decoder, so the figures contain its load.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.browser import chromium_page
from benchmarks.whole import Platform, until

_WATCH = """
() => {
  const video = document.querySelector('video')
  window.__late = []
  const look = () => {
    const strip = window.readStrip(video)
    if (strip) window.__late.push(Date.now() - strip.ms)
    video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
}
"""

_MOVED = """
(limit) => new Promise((resolve) => {
  const video = document.querySelector('video')
  const canvas = document.createElement('canvas')
  canvas.width = 64
  canvas.height = 30
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const grab = () => {
    // Without the clock strip at the bottom and the readable clock at the top, which change in each picture.
    context.drawImage(video, 0, video.videoHeight * 0.2, video.videoWidth, video.videoHeight * 0.7, 0, 0, 64, 30)
    return context.getImageData(0, 0, 64, 30).data
  }
  const difference = (a, b) => {
    let sum = 0
    for (let at = 0; at < a.length; at += 4) sum += Math.abs(a[at] - b[at])
    return sum / (a.length / 4)
  }
  let before = grab()
  let noise = 0
  let calm = 0
  let pressed = 0
  const look = () => {
    const now = grab()
    const moved = difference(before, now)
    before = now
    if (!pressed) {
      noise = Math.max(noise * 0.98, moved)
      calm += 1
      if (calm === 12) {
        pressed = performance.now()
        document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', code: 'ArrowRight', bubbles: true }))
      }
    } else if (moved > noise * 1.6 + 1.0) {
      document.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowRight', code: 'ArrowRight', bubbles: true }))
      resolve(performance.now() - pressed)
      return
    } else if (performance.now() - pressed > limit) {
      document.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowRight', code: 'ArrowRight', bubbles: true }))
      resolve(-1)
      return
    }
    video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
})
"""


def percentile(values: list[float], part: float) -> float:
    """Nearest rank; 0 where there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def ptz_channel(platform: Platform) -> dict[str, Any]:
    """The demo city's dome."""

    def found() -> dict[str, Any] | None:
        return next((c for c in platform.channels() if c.get("ptz") and c["state"] == "running"), None)

    return until(found, "the demo city's dome is running")


def watch(page: Page, platform: Platform, channel: str, seconds: float) -> list[float]:
    """Latency of every picture shown within `seconds`, milliseconds, after the first five seconds."""
    page.goto(f"{platform.base}/live?size=1&channels={channel}")
    page.wait_for_selector("video", timeout=30_000)
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5", timeout=30_000)
    page.wait_for_timeout(5000)
    page.evaluate(_WATCH)
    page.wait_for_timeout(seconds * 1000)
    return [float(value) for value in page.evaluate("() => window.__late")]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--presses", type=int, default=10)
    parser.add_argument("--no-impaired", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safecity-latency-") as folder:
        platform = Platform(Path(folder) / "data", "--demo")
        try:
            platform.start().setup()
            channel = ptz_channel(platform)["id"]
            with chromium_page(platform) as page:
                clean = watch(page, platform, channel, options.seconds)
                moves = [float(page.evaluate(_MOVED, 5000)) for _ in range(options.presses)]
                impaired: list[float] = []
                if not options.no_impaired and (door := platform.data / "demo" / "door.sock").exists():
                    from safecity.sim.control import say

                    say(door, {"op": "impair", "delay_ms": 400, "jitter_ms": 50, "loss": 0.001})
                    impaired = watch(page, platform, channel, options.seconds)
        finally:
            platform.stop()
    print(
        json.dumps(
            {
                "p50_ms": round(statistics.median(clean)) if clean else None,
                "p95_ms": round(percentile(clean, 0.95)),
                "impaired_p95_ms": round(percentile(impaired, 0.95)) if impaired else None,
                "ptz_p95_ms": round(percentile([m for m in moves if m >= 0], 0.95)),
                "ptz_failed": sum(m < 0 for m in moves),
                "pictures": len(clean),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
