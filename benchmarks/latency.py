"""From the clock in the picture to the clock on the screen, in Chromium; and from a PTZ key to the moved picture.

    python -m benchmarks.latency [--seconds 20] [--presses 20] [--no-impaired]

Keys: `p95_ms` of every picture shown (clean loopback); `age_p95_ms`, of the picture on the screen at any moment, which
counts what was frozen too, and `frozen_ms`, the longest time without a new picture; the same with `impaired_`, behind
a wire of 400 ms delay, 50 ms jitter and 0.1 % loss each way (`benchmarks.wire`), and with `reordered_`, where that
wire lets datagrams overtake each other. `ptz_p95_ms`: from the key to the first picture on the screen whose strip says
that the lens has moved (`benchmarks.press`), `ptz_not_seen` presses without one, `ptz_stations` the way there;
`impaired_ptz_p95_ms` has the wire's delay twice in it, once for the command and once for the picture. All processes,
the demo city among them, share this machine's cores with the browser's software decoder.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.browser import chromium_page
from benchmarks.press import press_keys
from benchmarks.whole import Platform, until
from safecity.model.values.media import Codec
from safecity.sim.encode import VideoSpec
from safecity.sim.yard import Yard, channel_codes

NEAR = "127.0.0.9"
SCREEN = 1920, 1080
"""Wide enough for the main stream."""
DOME = VideoSpec(width=960, height=540, fps=15, kbps=1200)
"""As the demo city's dome has it."""

_WATCH = """
() => {
  const video = document.querySelector('video')
  const watch = { late: [], ages: [], frozen: 0, unread: 0 }
  let last = 0
  let shown = 0
  window.__watch = watch
  const look = (_, meta) => {
    const strip = window.readStrip(video)
    const now = Date.now() + Math.max(0, meta.expectedDisplayTime - performance.now())
    if (strip) {
      watch.late.push(now - strip.ms)
      last = strip.ms
    } else watch.unread += 1
    if (shown) watch.frozen = Math.max(watch.frozen, now - shown)
    shown = now
    video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
  setInterval(() => { if (last) watch.ages.push(Date.now() - last) }, 20)
}
"""


def percentile(values: list[float], part: float) -> int | None:
    """Nearest rank; None where there are none."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * part))]) if values else None


def ptz_channel(platform: Platform) -> str:
    """The demo city's dome."""

    def found() -> str | None:
        return next((c["id"] for c in platform.channels() if c.get("ptz") and c["state"] == "running"), None)

    return until(found, "the demo city's dome is running")


def show(page: Page, platform: Platform, channel: str) -> None:
    """One large tile, playing for five seconds already."""
    page.goto(f"{platform.base}/live?size=1&channels={channel}")
    page.wait_for_selector("video", timeout=30_000)
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5", timeout=60_000)
    page.wait_for_timeout(5000)
    shown = page.evaluate("(channel) => window.__safecity.player(channel)", channel)
    assert shown["quality"] == "main", f"the {shown['quality']} stream is shown"


def watch(page: Page, seconds: float, prefix: str = "") -> dict[str, Any]:
    """Every picture shown within `seconds`, and what is on the screen every 20 ms."""
    page.evaluate(_WATCH)
    page.wait_for_timeout(seconds * 1000)
    seen = page.evaluate("() => window.__watch")
    return {
        f"{prefix}p50_ms": round(statistics.median(seen["late"])) if seen["late"] else None,
        f"{prefix}p95_ms": percentile(seen["late"], 0.95),
        f"{prefix}age_p95_ms": percentile(seen["ages"], 0.95),
        f"{prefix}frozen_ms": round(seen["frozen"]),
        f"{prefix}pictures": len(seen["late"]),
        f"{prefix}unread": seen["unread"],
    }


def press(page: Page, presses: int, prefix: str = "") -> dict[str, Any]:
    """The PTZ keys."""
    found = press_keys(page, presses)
    return {
        f"{prefix}ptz_p50_ms": round(statistics.median(found.moved)) if found.moved else None,
        f"{prefix}ptz_p95_ms": percentile(found.moved, 0.95),
        f"{prefix}ptz_max_ms": round(max(found.moved)) if found.moved else None,
        f"{prefix}ptz_not_seen": found.not_seen,
        f"{prefix}ptz_stations": found.stations(),
    }


@contextmanager
def long_wire(platform: Platform, *, reorder: bool) -> Iterator[None]:
    """Between `NEAR` and the platform, for signalling and media."""
    state = platform.state()
    ports = [state["ports"]["sip-udp"], *state["rtp_ports"]]
    command = [sys.executable, "-m", "benchmarks.wire", "--near", NEAR, "--ports", ",".join(map(str, ports))]
    command += ["--reorder"] if reorder else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()
        carried = json.loads(process.stdout.readline())
        assert carried["carried"] > 100, "the camera did not use the wire"


def far_dome(platform: Platform, yard: Yard, serial: int) -> str:
    """A dome behind the wire; its channel once it runs."""
    code = f"3402000000132{serial:07d}"
    device = {
        "kind": "gb28181",
        "name": f"far {serial}",
        "code": code,
        "password": "pass-of-the-far",
        "transport": "udp",
    }
    platform.post("/devices", device)
    port = platform.state()["ports"]["sip-udp"]
    yard.camera(code=code, password="pass-of-the-far", host=NEAR, port=port, video=DOME, sound=Codec.PCMA)
    (wanted,) = channel_codes(code, 1)

    def runs() -> str | None:
        return next((c["id"] for c in platform.channels() if c["code"] == wanted and c["state"] == "running"), None)

    return until(runs, "the dome behind the wire runs")


def impaired(platform: Platform, seconds: float, presses: int) -> dict[str, Any]:
    """The same through the long wire, in order and out of order; the platform says the wire's near end in its SDP."""
    answer = platform.api.put("/wizard/platform", json={"public_host": NEAR})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = {}
    for serial, prefix in ((7001, "impaired_"), (7002, "reordered_")):
        with long_wire(platform, reorder=prefix == "reordered_"), Yard() as yard:
            channel = far_dome(platform, yard, serial)
            with chromium_page(platform, *SCREEN) as page:
                show(page, platform, channel)
                found |= watch(page, seconds, prefix)
                found |= press(page, presses, prefix) if prefix == "impaired_" else {}
    return found


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """A platform with the demo city, then the wire."""
    with tempfile.TemporaryDirectory(prefix="safecity-latency-") as folder, ExitStack() as stack:
        platform = Platform(Path(folder) / "data", "--demo")
        stack.callback(platform.stop)
        platform.start().setup()
        channel = ptz_channel(platform)
        with chromium_page(platform, *SCREEN) as page:
            show(page, platform, channel)
            found = watch(page, options.seconds) | press(page, options.presses)
        if not options.no_impaired:
            found |= impaired(platform, options.seconds, max(1, options.presses // 2))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.latency")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("--no-impaired", action="store_true")
    print(json.dumps(measure(parser.parse_args())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
