"""A platform with the demo city, a yard of cameras that can die, and Chromium in front of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from benchmarks.browser import CHROMIUM, chromium_page
from benchmarks.whole import Platform, until
from playwright.sync_api import Page

from safecity.sim.yard import Yard, channel_codes

ROOT = Path(__file__).resolve().parents[2]
_OUR_MISTAKES = re.compile(r"Content Security Policy|Uncaught|Warning: ")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = not CHROMIUM or not (ROOT / "ui" / "dist" / "index.html").exists()
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason="needs Debian's chromium and a built ui/dist"))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("city"), "--demo")
    try:
        platform.start().setup()
        until(lambda: len([c for c in platform.channels() if c["state"] == "running"]) >= 5 or None, "five cameras run")
        yield platform
    finally:
        platform.stop()


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with Yard() as made:
        yield made


@pytest.fixture
def open_page(city: Platform) -> Iterator[Callable[..., Page]]:
    """Pages of fresh browsers, signed in; what the console complains about fails the test."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def show(path: str, *, width: int = 1280, height: int = 800, language: str = "en") -> Page:
            page = stack.enter_context(chromium_page(city, width, height, language))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if _OUR_MISTAKES.search(said.text) else None)
            tag = "zh-CN" if language == "zh" else "en"
            page.add_init_script(f"localStorage.setItem('safecity.language', '{tag}')")
            page.goto(f"{city.base}{path}")
            return page

        yield show
    assert not complaints


def running(platform: Platform, **wanted: Any) -> str:
    """The id of a running demo channel with these properties, in a codec that every browser plays."""

    def found() -> str | None:
        streams = platform.get("/health")["streams"]
        plays = {s["channel"] for s in streams if s["quality"] == "main" and s["codec"] == "h264"}
        for channel in platform.channels():
            if channel["id"] not in plays:
                continue
            if channel["state"] == "running" and all(channel[name] == value for name, value in wanted.items()):
                return str(channel["id"])
        return None

    return until(found, f"a running channel with {wanted}")


def mortal(platform: Platform, yard: Yard, serial: int) -> tuple[Any, str]:
    """A camera of our own, and its channel id: it can be made to die."""
    code = f"3402000000132{serial:07d}"
    platform.post("/devices", {"kind": "gb28181", "name": f"mortal {serial}", "code": code, "password": "pass-mortal"})
    device = yard.camera(code=code, password="pass-mortal", port=platform.state()["ports"]["sip-udp"])
    (wanted,) = channel_codes(code, 1)

    def alive() -> str | None:
        return next((c["id"] for c in platform.channels() if c["code"] == wanted and c["state"] == "running"), None)

    return device, until(alive, "the mortal camera runs")


def probe(page: Page, channel: str, kind: str = "live") -> dict[str, Any]:
    """What the page's player of this channel says of itself; empty while there is none."""
    found = page.evaluate(
        "([channel, kind]) => window.__safecity?.players().find((p) => p.channel === channel && p.kind === kind) ?? {}",
        [channel, kind],
    )
    assert isinstance(found, dict)
    return found


def strip_clock(page: Page, channel: str, kind: str = "live") -> float | None:
    """Seconds UTC that the shown picture itself carries."""
    script = "(selector) => window.readStrip(document.querySelector(selector))?.ms ?? null"
    said = page.evaluate(script, f'video[data-channel="{channel}"][data-kind="{kind}"]')
    return None if said is None else float(said) / 1000


def wait_for(page: Page, script: str, argument: Any = None, seconds: float = 40) -> None:
    """Until the page says yes."""
    page.wait_for_function(script, arg=argument, timeout=seconds * 1000)
