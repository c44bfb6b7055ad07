"""A platform with the demo city, a yard of cameras that can die, and Chromium in front of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from benchmarks.browser import CHROMIUM, chromium, signed_in
from benchmarks.whole import Platform, until
from playwright.sync_api import Browser, Page, Position
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from safecity.kit.clock import rfc3339
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard, channel_codes

_SHARED = ExitStack()
ROOT = Path(__file__).resolve().parents[2]
_OUR_MISTAKES = re.compile(r"Content Security Policy|Uncaught|Warning: ")

SECOND = 1_000_000
PLAYERS = "() => ({ players: window.__safecity?.players() ?? [], pips: window.__pips, level: window.__level })"
SHOWN = """([channel, at]) => {
  const p = window.__safecity?.players().find((p) => p.channel === channel && p.kind === 'playback')
  return p && p.phase !== 'seeking' && p.decoded > 0 && Math.abs(p.wall - at) < 2.5e6
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = not CHROMIUM or not (ROOT / "ui" / "dist" / "index.html").exists()
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason="needs Debian's chromium and a built ui/dist"))


def light_city(folder: Path) -> Platform:
    """A platform with the demo city, to be begun: pages look the same with a third of its pictures, and cost less."""
    platform = Platform(folder, "--demo")
    platform.environment["SAFECITY_DEMO__PICTURES_PER_SECOND"] = "5"
    return platform


class City:
    """One demo city for all files that look at it one after the other."""

    def __init__(self) -> None:
        self._platform: Platform | None = None

    def begin(self, folder: Callable[[], Path]) -> Platform:
        if self._platform is None:
            self._platform = light_city(folder())
            self._platform.start().setup()
        return self._platform

    def end(self) -> None:
        """It paints eight streets, and whatever runs beside it pays for that."""
        platform, self._platform = self._platform, None
        if platform is not None:
            platform.stop()


_CITY = City()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The browser ends with the last test that looks into it: what runs an event loop later cannot have it beside."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _CITY.end()
        _SHARED.close()


def pytest_sessionfinish() -> None:
    _CITY.end()
    _SHARED.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The demo city, for files that look at it and add to it; they take nothing away."""
    platform = _CITY.begin(lambda: tmp_path_factory.mktemp("city"))
    until(lambda: len([c for c in platform.channels() if c["state"] == "running"]) >= 5 or None, "five cameras run")
    return platform


@pytest.fixture(scope="session")
def browser() -> Browser:
    return _SHARED.enter_context(chromium())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform without the demo city, for files that put small cameras of their own before it.

    They say `city = bare` by a fixture of that name.
    """
    _CITY.end()
    platform = Platform(tmp_path_factory.mktemp("bare"))
    try:
        yield platform.start().setup()
    finally:
        platform.stop()


@pytest.fixture(scope="module")
def newborn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with a demo city of its own that nobody has set up yet."""
    _CITY.end()
    platform = light_city(tmp_path_factory.mktemp("newborn"))
    try:
        yield platform.start()
    finally:
        platform.stop()


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with Yard() as made:
        yield made


@pytest.fixture
def open_page(city: Platform, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages that share nothing, signed in; what the console complains about fails the test."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def show(
            path: str,
            *,
            width: int = 1280,
            height: int = 800,
            language: str = "en",
            host: str = "127.0.0.1",
            cookies: Mapping[str, str] | None = None,
        ) -> Page:
            page = stack.enter_context(signed_in(browser, city, width, height, language, host, cookies))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if _OUR_MISTAKES.search(said.text) else None)
            tag = "zh-CN" if language == "zh" else "en"
            first = f"localStorage.getItem('safecity.language') ?? localStorage.setItem('safecity.language', '{tag}')"
            page.add_init_script(first)
            page.goto(f"{city.base_at(host)}{path}")
            return page

        yield show
    assert not complaints


def sign_in(platform: Platform, username: str, role: str) -> httpx.Client:
    """Somebody new of that role, signed in; its cookies open pages."""
    person = {"username": username, "password": "four words nobody guesses"}
    platform.post("/users", {**person, "roles": [role], "language": "en"})
    client = httpx.Client(base_url=f"{platform.base}/api/v1", timeout=30)
    client.post("/session", json=person).raise_for_status()
    return client


def choose(page: Page, label: str, words: str) -> None:
    """Take the first entry with these words from a list that opens."""
    box = page.get_by_role("combobox", name=label)
    # What is chosen already lies over the field that takes the click.
    box.click(force=True)
    if box.get_attribute("readonly") is None:
        box.fill(words)
    page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option").filter(
        has_text=words
    ).first.click()


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


def add_device(platform: Platform, yard: Yard, serial: int, **changes: Any) -> tuple[SimDevice, list[str]]:
    """A device of our own, and the ids of its channels once they all run."""
    code = f"3402000000132{serial:07d}"
    platform.post("/devices", {"kind": "gb28181", "name": f"device {serial}", "code": code, "password": "pass-device"})
    port = platform.state()["ports"]["sip-udp"]
    device = yard.camera(code=code, password="pass-device", port=port, **changes)
    wanted = channel_codes(code, changes.get("channels", 1))

    def alive() -> list[str] | None:
        ids = {each["code"]: each["id"] for each in platform.channels() if each["state"] == "running"}
        return [ids[each] for each in wanted] if set(wanted) <= set(ids) else None

    return device, until(alive, f"the channels of device {serial} run")


def mortal(platform: Platform, yard: Yard, serial: int) -> tuple[SimDevice, str]:
    """A camera of our own, and its channel id: it can be made to die."""
    device, [channel] = add_device(platform, yard, serial)
    return device, channel


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
    """Until the page says yes; else the failure tells what its players were doing."""
    try:
        page.wait_for_function(script, arg=argument, timeout=seconds * 1000)
    except PlaywrightTimeoutError as error:
        raise AssertionError(f"not in {seconds} s: {script}; {page.evaluate(PLAYERS)}") from error


def footage_of(platform: Platform, channel: str, seconds: int = 30) -> tuple[str, int, int]:
    """The channel, and the start and end (microseconds) of so much footage of it without a gap."""

    def long_enough() -> tuple[str, int, int] | None:
        now = time.time_ns() // 1000
        pieces = platform.get(f"/channels/{channel}/timeline", start=rfc3339(now - 3600 * SECOND), end=rfc3339(now))[
            "pieces"
        ]
        good = pieces and pieces[-1]["end_us"] - pieces[-1]["start_us"] > (seconds + 10) * SECOND
        # Its end: at its very beginning the camera may still owe the first key frame.
        return (channel, pieces[-1]["end_us"] - seconds * SECOND, pieces[-1]["end_us"]) if good else None

    return until(long_enough, f"{seconds} s are recorded", 60 + seconds)


def seek(page: Page, at: int) -> None:
    """A click on the timeline where `at` is."""
    page.locator(".timeline canvas").click(position=on_timeline(page, at))


def on_timeline(page: Page, at: int, row: int = 0) -> Position:
    """Where `at` lies on the timeline, which is zoomed in so far that a pixel is a fraction of a second."""
    canvas = page.locator(".timeline canvas")

    def span() -> tuple[float, float]:
        start, end = (float(canvas.get_attribute(f"data-{edge}") or 0) for edge in ("start", "end"))
        return start, end

    while span()[1] - span()[0] > 4 * 60 * SECOND:
        page.get_by_label("Zoom in").click()
        page.wait_for_timeout(60)
    start, end = span()
    box = canvas.bounding_box()
    assert box is not None
    return {"x": (at - start) / (end - start) * box["width"], "y": 22 + 20 * row + 10}
