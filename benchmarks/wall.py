"""A wall of sub streams in Chromium: how soon the page is there, how smoothly it runs, whether it grows.

    python -m benchmarks.wall [--tiles 16] [--seconds 60] [--loads 10]

The platform records the cameras' main streams meanwhile; every tile shows the H.264 sub stream (352 x 288, 15 pictures
a second). An operator's hand is on it: every few seconds a tile is chosen, a tile's tools are shown, the search box is
opened and typed into, a tile is emptied and filled. Keys:

    first_paint_p95_ms, first_paint_warm_p95_ms   of the live page, with an empty and a filled browser cache
    pictures_p95_ms          until every tile shows its picture
    frames_over_100ms        frames of the interface (long animation frames); `longest_frame_ms`, `longest` says whose
    heap_growth_mib_per_hour after a forced collection at half time and at the end; `dom_growth` in nodes and listeners
    renderer_growth_mib_per_hour, browser_growth_mib_per_hour   proportional memory (PSS), least squares, second half
    renderer_mib             by tenths of the time: a buffer that fills and then stays full is no leak
    tiles_running_min, pictures_dropped_ratio
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks.browser import CHROMIUM, FLAGS
from benchmarks.soak import admit, running, slope
from benchmarks.whole import Platform, until
from safecity.sim.load import LoadOptions

SCREEN = {"width": 1920, "height": 1080}
ACT_SECONDS = 3.0
LIMIT_MS = 100

_WATCH = """
() => {
  window.__frames = []
  new PerformanceObserver((list) => {
    for (const frame of list.getEntries()) {
      const scripts = (frame.scripts ?? []).map((one) => [
        Math.round(one.duration), one.invoker, one.sourceFunctionName, one.sourceURL.split('/').pop(),
        Math.round(one.forcedStyleAndLayoutDuration),
      ])
      scripts.sort((a, b) => b[0] - a[0])
      const render = frame.renderStart ? Math.round(frame.startTime + frame.duration - frame.renderStart) : 0
      window.__frames.push({ at: frame.startTime, ms: frame.duration, render, scripts: scripts.slice(0, 3) })
    }
  }).observe({ type: 'long-animation-frame', buffered: true })
}
"""
_TILES = """
() => {
  const videos = [...document.querySelectorAll('.tile video')]
  const tiles = videos.map((video) => window.__safecity.player(video.dataset.channel))
  return {
    running: tiles.filter((tile) => tile?.phase === 'running').length,
    sub: tiles.filter((tile) => tile?.quality === 'sub' && tile?.codec === 'h264').length,
    decoded: tiles.reduce((sum, tile) => sum + (tile?.decoded ?? 0), 0),
    dropped: tiles.reduce((sum, tile) => sum + (tile?.dropped ?? 0), 0),
  }
}
"""
_PLAYS = (
    "(count) => [...document.querySelectorAll('.tile video')].filter((video) => video.currentTime > 0).length >= count"
)
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def p95(values: list[float]) -> int:
    """Nearest rank."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * 0.95))])


def processes() -> dict[str, list[int]]:
    """Our browser's processes by kind: descendants of this process alone."""
    parents: dict[int, int] = {}
    kinds: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
        except (OSError, IndexError, ValueError):
            continue
        if "chrom" in words.split(" ")[0]:
            kind = words.partition("--type=")[2].split(" ")[0] or "browser"
            kinds[int(entry.name)] = kind
    found: dict[str, list[int]] = {}
    for pid, kind in kinds.items():
        at = pid
        while at > 1 and at != os.getpid():
            at = parents.get(at, 0)
        if at == os.getpid():
            found.setdefault(kind, []).append(pid)
    return found


def pss_mib(pids: list[int]) -> float:
    """Proportional set size."""
    total = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue  # it is gone
    return total / 1024


def tenths(points: list[tuple[float, float]]) -> list[float]:
    """Means of ten stretches."""
    size = max(1, len(points) // 10)
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    return [round(sum(mib for _, mib in part) / len(part), 1) for part in parts]


def context_of(browser: Browser, platform: Platform) -> BrowserContext:
    """A fresh one, signed in."""
    context = browser.new_context(viewport=SCREEN, locale="en-GB")  # type: ignore[arg-type]
    for name, value in platform.api.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": platform.base}])
    return context


def paints(browser: Browser, platform: Platform, wall: str, loads: int, tiles: int) -> dict[str, Any]:
    """The page again and again, each time in a fresh browser context and once more in the same."""
    cold: list[float] = []
    warm: list[float] = []
    pictures: list[float] = []
    for _ in range(loads):
        context = context_of(browser, platform)
        page = context.new_page()
        began = time.perf_counter()
        page.goto(wall)
        page.wait_for_function(_PLAYS, arg=tiles, timeout=60_000, polling=100)
        pictures.append((time.perf_counter() - began) * 1000)
        cold.append(page.evaluate(_PAINT))
        page.goto("about:blank")
        page.goto(wall)
        page.wait_for_selector(".tile video", timeout=30_000)
        page.wait_for_timeout(200)
        warm.append(page.evaluate(_PAINT))
        context.close()
    return {
        "first_paint_p95_ms": p95(cold),
        "first_paint_warm_p95_ms": p95(warm),
        "first_paints_ms": [round(one) for one in cold],
        "pictures_p95_ms": p95(pictures),
    }


class Hand:
    """What an operator does, one act after the other."""

    def __init__(self, page: Page, tiles: int) -> None:
        self._page = page
        self._tiles = tiles
        self._turn = itertools.cycle((self._choose, self._hover, self._search, self._swap))
        self._place = 0

    def act(self) -> None:
        """The next one."""
        self._place = (self._place + 5) % self._tiles
        next(self._turn)()

    def _tile(self) -> Any:
        return self._page.locator(f'.tile[data-place="{self._place}"]')

    def _choose(self) -> None:
        self._page.keyboard.press(str(self._place % 9 + 1))

    def _hover(self) -> None:
        self._tile().hover()
        self._page.wait_for_timeout(300)
        self._page.mouse.move(1, 1)

    def _search(self) -> None:
        self._page.keyboard.press("Control+k")
        self._page.wait_for_timeout(200)
        self._page.keyboard.type("load 1", delay=60)
        self._page.wait_for_timeout(500)
        self._page.keyboard.press("Escape")
        self._page.wait_for_timeout(200)
        self._page.keyboard.press("Escape")

    def _swap(self) -> None:
        """Two tiles change places: both players end, both begin."""
        other = (self._place + 1) % self._tiles
        self._tile().drag_to(self._page.locator(f'.tile[data-place="{other}"]'))


def collected_heap(cdp: CDPSession) -> dict[str, float]:
    """MiB, nodes and listeners that are really held."""
    cdp.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    return {
        "heap": metrics["JSHeapUsedSize"] / 2**20,
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }


def run_wall(page: Page, seconds: float, tiles: int) -> dict[str, Any]:
    """The wall itself, for so long."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    page.wait_for_timeout(3000)
    first = page.evaluate(_TILES)
    page.evaluate(_WATCH)
    hand = Hand(page, tiles)
    memory: dict[str, list[tuple[float, float]]] = {}
    lowest, half, half_at = tiles, None, 0.0
    page.evaluate("() => { window.__frames.length = 0 }")
    frames: list[dict[str, Any]] = []
    began = time.monotonic()
    sampled = 0.0
    while (elapsed := time.monotonic() - began) < seconds:
        if half is None and elapsed >= seconds / 2:
            frames += page.evaluate("() => window.__frames.splice(0)")
            half, half_at = collected_heap(cdp), elapsed
            page.evaluate("() => { window.__frames.length = 0 }")  # what collecting took is ours
        hand.act()
        page.wait_for_timeout(ACT_SECONDS * 1000)
        if elapsed - sampled >= min(10.0, seconds / 20):
            sampled = elapsed
            for kind, pids in processes().items():
                memory.setdefault(kind, []).append((elapsed, pss_mib(pids)))
            lowest = min(lowest, page.evaluate(_TILES)["running"])
    elapsed = time.monotonic() - began
    frames += page.evaluate("() => window.__frames.splice(0)")
    last = page.evaluate(_TILES)
    end = collected_heap(cdp)
    half = half or end
    hours = max(elapsed - half_at, 1.0) / 3600
    growth = {kind: slope(points[len(points) // 2 :]) * 3600 for kind, points in memory.items()}
    longest = max(frames, key=lambda frame: frame["ms"], default={"ms": 0})
    decoded = last["decoded"] - first["decoded"]
    return {
        "seconds": round(elapsed),
        "tiles_running_min": lowest,
        "sub_streams": last["sub"],
        "pictures_per_tile_second": round(decoded / elapsed / tiles, 1),
        "pictures_dropped_ratio": round((last["dropped"] - first["dropped"]) / max(1, decoded), 4),
        "frames_over_100ms": sum(frame["ms"] > LIMIT_MS for frame in frames),
        "frames_over_50ms": len(frames),
        "longest_frame_ms": round(longest["ms"]),
        "longest": longest,
        "heap_mib": round(end["heap"], 1),
        "heap_growth_mib_per_hour": round((end["heap"] - half["heap"]) / hours, 1),
        "dom_growth": {name: round(end[name] - half[name]) for name in ("nodes", "listeners")},
        "memory_mib": {kind: round(points[-1][1], 1) for kind, points in memory.items()},
        "renderer_mib": tenths(memory.get("renderer", [])),
        "renderer_growth_mib_per_hour": round(growth.get("renderer", 0.0), 1),
        "browser_growth_mib_per_hour": round(sum(growth.values()), 1),
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """A platform with cameras, and the browser."""
    with tempfile.TemporaryDirectory(prefix="safecity-wall-") as folder, ExitStack() as stack:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "safecity.toml").write_text(
            '[[record.volumes]]\nname = "main"\npath = "volumes/main"\nmax_gib = 8\n', "utf-8"
        )
        platform = Platform(data)
        stack.callback(platform.stop)
        platform.start().setup()
        load = LoadOptions(host="127.0.0.1", port=platform.state()["ports"]["sip-udp"], count=options.tiles)
        admit(platform, load)
        command = [sys.executable, "-m", "safecity", "sim", "cameras", "--count", str(options.tiles)]
        command += ["--platform", f"127.0.0.1:{load.port}", "--kbps", "1000", "--sub-kbps", "250"]
        sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        stack.callback(lambda: (sender.terminate(), sender.wait(20)))
        until(lambda: len(running(platform)) == options.tiles, "all cameras run", 120)
        channels = [stream["channel"] for stream in running(platform)]
        wall = f"{platform.base}/live?size={options.tiles}&channels={','.join(channels)}"
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        found = {"tiles": options.tiles} | paints(browser, platform, wall, options.loads, options.tiles)
        page = context_of(browser, platform).new_page()
        page.goto(wall)
        page.wait_for_function(_PLAYS, arg=options.tiles, timeout=60_000, polling=100)
        return found | run_wall(page, options.seconds, options.tiles)


def main() -> int:
    """One JSON object last."""
    parser = argparse.ArgumentParser(prog="benchmarks.wall")
    parser.add_argument("--tiles", type=int, default=16, choices=(1, 4, 9, 16))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--loads", type=int, default=10)
    print(json.dumps(measure(parser.parse_args())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
