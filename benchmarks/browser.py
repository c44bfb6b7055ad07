"""Debian's Chromium, driven by Playwright, for the browser tests and the latency benchmark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.whole import Platform

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
# Two pages of suggestions below the address line would be made with each window: nobody types there, and they cost more
# than most pages of ours. The others are what Playwright itself asks to be without; whoever names any names all.
WITHOUT = (
    "WebUIOmniboxPopup WebUIOmniboxAimPopup "
    "AvoidUnnecessaryBeforeUnloadCheckSync DestroyProfileOnBrowserClose HttpsUpgrades HttpsFirstBalancedModeAutoEnable "
    "LensOverlay MediaRouter PaintHolding ThirdPartyStoragePartitioning AvoidCorsURLLoaderRestartOnRedirect "
    "OptimizationHints NetworkTimeServiceQuerying AimEnabled PreconnectToSearch"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
    f"--disable-features={WITHOUT.replace(' ', ',')}",
]
STRIP = Path(__file__).resolve().parent.parent / "src" / "safecity" / "sim" / "scene" / "strip.js"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, to be shared: starting one costs seconds, a context of its own costs nothing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def signed_in(
    browser: Browser,
    platform: Platform,
    width: int = 1280,
    height: int = 800,
    language: str = "en",
    host: str = "127.0.0.1",
    cookies: Mapping[str, str] | None = None,
) -> Iterator[Page]:
    """A page with cookies and storage of its own, signed in as the platform's administrator or by these cookies.

    A `host` that is a name under `.test` leads to this machine too, but to the browser it is no secure context.
    """
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    for name, value in (platform.api.cookies if cookies is None else cookies).items():
        context.add_cookies([{"name": name, "value": value, "url": platform.base_at(host)}])
    context.add_init_script(path=str(STRIP))
    page = context.new_page()
    try:
        yield page
    finally:
        context.close()


@contextmanager
def chromium_page(platform: Platform, width: int = 1280, height: int = 800, language: str = "en") -> Iterator[Page]:
    """A page of a fresh browser."""
    with chromium() as browser, signed_in(browser, platform, width, height, language) as page:
        yield page
