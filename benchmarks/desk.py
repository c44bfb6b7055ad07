"""How fast the review desk is under one person's hand on the keyboard.

    python -m benchmarks.desk [--violations 100]

Candidates with three pictures of 1280 x 720 and one of the plate wait for the first review; each is passed on with
`Enter` as soon as the next stands there with all its pictures, as nobody who looks can do it. Keys:

    step_p50_ms, step_p95_ms   from the key to the next candidate with its pictures (Chromium without a graphics card)
    per_hour                   as many as would be passed so, if nobody looked at any
    seconds_to_look            what is left of each candidate's time at 500 an hour, by the slowest twentieth
    reviewed                   of `violations`, as the platform has them afterwards
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, expect

from benchmarks.browser import chromium, signed_in
from benchmarks.whole import Platform, until
from safecity.kit.clock import rfc3339

GATE = "34020000001210000001"
SECOND = 1_000_000
BOXES = ([0.40, 0.62, 0.58, 0.90], [0.44, 0.40, 0.56, 0.60], [0.46, 0.28, 0.54, 0.40])
AIM = 500
"""An hour, of one person."""
PATIENCE_MS = 60_000
_KEY = "addEventListener('keydown', () => { window.__key = performance.now() }, true)"
_NEXT = """
(before) => new Promise((done) => {
  const look = () => {
    const views = [...document.querySelectorAll('img[alt^="View "]')]
    const plate = document.querySelector('input[aria-label="Plate"]')?.value ?? ''
    const shown = views.length >= 2 && views.every((one) => one.complete && one.naturalWidth)
    const over = document.body.innerText.includes('Nothing waits')
    if ((plate && plate !== before && shown) || over) done([performance.now() - window.__key, plate])
    else requestAnimationFrame(look)
  }
  look()
})
"""


def picture(rng: np.random.Generator, width: int, height: int) -> str:
    """Some 200 kB, as a camera's picture of a street has."""
    rough = rng.integers(0, 255, (height // 6, width // 6, 3), np.uint8)
    image = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return base64.b64encode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()).decode()


def propose(platform: Platform, count: int) -> None:
    """Red lights, one after the other."""
    rng, begin = np.random.default_rng(1), int(time.time() * SECOND) - 3600 * SECOND
    platform.post("/tollgates", {"name": "Zhongshan Road", "code": GATE, "lanes": [{"number": 2}]})
    scenes, crop = [picture(rng, 1280, 720) for _ in range(12)], picture(rng, 222, 66)
    for number in range(count):
        at = begin + number * 10 * SECOND
        shown = [
            {"kind": "14", "at": rfc3339(at + view * SECOND), "data": scenes[(number + view) % 12], "box": BOXES[view],
             "light": "red"}
            for view in range(3)
        ]  # fmt: skip
        platform.post("/violations", {
            "tollgate": GATE, "reference": str(number), "kind": "red_light", "at": rfc3339(at), "clock_error_ms": 150,
            "plate": f"皖B{number:05d}", "confidence": 0.94, "lane": 2, "light": "red", "light_source": "controller",
            "pictures": [*shown, {"kind": "02", "at": rfc3339(at), "data": crop}],
        })  # fmt: skip


def review(page: Page, base: str, count: int) -> list[float]:
    """Milliseconds of each step."""
    page.add_init_script(_KEY)
    page.goto(f"{base}/violations")
    plate = page.get_by_label("Plate", exact=True)
    expect(plate).not_to_have_value("", timeout=PATIENCE_MS)
    expect(page.get_by_alt_text("View 3")).to_be_visible(timeout=PATIENCE_MS)
    steps: list[float] = []
    before = plate.input_value()
    for _ in range(count):
        page.keyboard.press("Enter")
        ms, before = page.evaluate(_NEXT, before)
        steps.append(ms)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--violations", type=int, default=100)
    count = parser.parse_args().violations
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder))
        try:
            platform.start().setup()
            propose(platform, count)
            with chromium() as browser, signed_in(browser, platform, 1920, 1080) as page:
                steps = review(page, platform.base, count)
                page.goto(f"{platform.base}/violations?tab=list")  # what was decided last goes out with who leaves
                until(lambda: _reviewed(platform) == count, "all are reviewed")
                done = _reviewed(platform)
        finally:
            platform.stop()
    steps.sort()
    slow = steps[int(0.95 * (len(steps) - 1))]
    said = {
        "step_p50_ms": round(statistics.median(steps)), "step_p95_ms": round(slow),
        "per_hour": round(3_600_000 / statistics.mean(steps)), "seconds_to_look": round(3600 / AIM - slow / 1000, 2),
        "reviewed": done, "violations": count,
    }  # fmt: skip
    print(json.dumps(said))


def _reviewed(platform: Platform) -> int:
    return int(platform.get("/violations", limit=1)["counts"].get("reviewed", 0))


if __name__ == "__main__":
    main()
