"""The clock in the simulated pictures reads the same in a browser as in Python."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import pytest
from benchmarks.browser import CHROMIUM, STRIP
from playwright.sync_api import Browser, Page

from safecity.sim.scene.lens import Pose
from safecity.sim.scene.sprites import Frame
from safecity.sim.scene.street import Street
from safecity.sim.scene.strip import read_clock

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no chromium here")]
AT = 1_763_686_800_123_000
READ = "async (url) => { const i = new Image(); i.src = url; await i.decode(); return window.readStrip(i) }"


SIZES = ((1280, 720), (960, 540), (640, 360), (512, 288), (352, 288), (256, 144))


@contextmanager
def strip_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.add_init_script(path=str(STRIP))
    page.goto("about:blank")
    yield page
    page.close()


def jpeg(frame: Frame) -> str:
    _, coded = cv2.imencode(".jpg", frame.rgb()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
    return "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode()


def test_the_strip_is_read_at_every_size(browser: Browser) -> None:
    with strip_page(browser) as page:
        for width, height in SIZES:
            frame = Street(seed=1, channel=7, light=0.3).render(AT, width, height)
            assert read_clock(frame.rgb()) == AT
            assert page.evaluate(READ, jpeg(frame)) == {"ms": AT // 1000, "channel": 7}, f"{width}x{height}"


def test_where_the_lens_points_is_read_at_every_size(browser: Browser) -> None:
    with strip_page(browser) as page:
        for width, height in SIZES:
            frame = Street(seed=1, channel=7, light=0.3).render(AT, width, height, Pose(-12.625, 4.25, 2.0))
            said = page.evaluate(READ, jpeg(frame))
            assert said == {"ms": AT // 1000, "channel": 7, "pan": -12.625, "tilt": 4.25, "zoom": 2}, (
                f"{width}x{height}"
            )
