"""The clock in the simulated pictures reads the same in a browser as in Python."""

from __future__ import annotations

import base64

import cv2
import pytest
from benchmarks.browser import CHROMIUM, FLAGS, STRIP
from playwright.sync_api import sync_playwright

from safecity.sim.scene.street import Street
from safecity.sim.scene.strip import read_clock

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
AT = 1_763_686_800_123_000
READ = "async (url) => { const i = new Image(); i.src = url; await i.decode(); return window.readStrip(i) }"


def test_the_strip_is_read_at_every_size() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.add_init_script(path=str(STRIP))
        page.goto("about:blank")
        for width, height in ((1280, 720), (960, 540), (640, 360), (512, 288), (352, 288), (256, 144)):
            frame = Street(seed=1, channel=7, light=0.3).render(AT, width, height)
            assert read_clock(frame.rgb()) == AT
            _, coded = cv2.imencode(".jpg", frame.rgb()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
            url = "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode()
            assert page.evaluate(READ, url) == {"ms": AT // 1000, "channel": 7}, f"{width}x{height}"
        browser.close()
