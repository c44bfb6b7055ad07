"""Debian's Chromium, driven by Playwright, for the browser tests and the latency benchmark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.whole import Platform

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
STRIP = Path(__file__).resolve().parent.parent / "src" / "safecity" / "sim" / "scene" / "strip.js"


@contextmanager
def chromium_page(platform: Platform, width: int = 1280, height: int = 800, language: str = "en") -> Iterator[Page]:
    """A page of a fresh browser, signed in as the platform's administrator."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        locale = "zh-CN" if language == "zh" else "en-GB"
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        for name, value in platform.api.cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": platform.base}])
        context.add_init_script(path=str(STRIP))
        page = context.new_page()
        try:
            yield page
        finally:
            context.close()
            browser.close()
