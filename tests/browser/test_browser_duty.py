"""The traffic duty in the browser: a simulated sign is added, written on and cleared, by few clicks and by keys."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT
from tests.ladder import STEP, ladder

from safecity.kit.clock import rfc3339
from safecity.roads.network.versions import put_version
from safecity.sim.signs import SimSign

SHOTS = ROOT / "output" / "screenshots"
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
KEY = "key-of-the-sign-in-the-browser"
FALLBACK = ["文明驾驶", "平安出行"]


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    """Two streets and the rungs between them."""
    put_version(bare.data / "roads", ladder(), dropped={}, sources=("x",), at_us=time.time_ns() // 1000)
    until(lambda: bare.api.get("/traffic/network").status_code == 200, "the network is taken up", 180.0)
    return bare


@pytest.fixture(scope="module")
def sim() -> Iterator[SimSign]:
    """A sign that is there as long as this module runs, on a loop of its own."""
    loop, sign = asyncio.new_event_loop(), SimSign(KEY)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(sign.start(), loop).result(10)
    yield sign
    asyncio.run_coroutine_threadsafe(sign.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def sign(city: Platform, sim: SimSign) -> str:
    body = {
        "name": "East gate", "address": sim.address, "longitude": 18.0, "latitude": 59.3 + STEP / 4, "direction": 0,
        "lines": 2, "columns": 20, "fallback": FALLBACK, "key": KEY,
    }  # fmt: skip
    made = city.post("/signs", body)["id"]
    until(lambda: city.get(f"/signs/{made}")["says"]["state"] == "shows" or None, "the sign answers")
    return str(made)


@pytest.mark.parametrize(("width", "height", "language"), [(1920, 1080, "en"), (1280, 800, "zh"), (390, 844, "en")])
def test_a_text_stands_on_the_sign_after_three_clicks_and_goes_after_one(
    open_page: Callable[..., Page], city: Platform, sim: SimSign, sign: str, width: int, height: int, language: str
) -> None:
    page = open_page("/duty", width=width, height=height, language=language)
    word = (lambda english, chinese: chinese) if language == "zh" else (lambda english, chinese: english)
    face = page.locator(".sign-face")
    expect(face).to_have_text("".join(FALLBACK), timeout=SOON)
    page.get_by_role("button", name=word("Show a message: East gate", "发布内容: East gate")).click()
    page.get_by_role("button", name="前方拥堵").click()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"duty-form-{width}.png")
    page.get_by_role("button", name=word("Show", "显示"), exact=True).click()
    expect(face).to_have_text("前方拥堵请减速慢行", timeout=SOON)
    assert sim.lines == ("前方拥堵", "请减速慢行")
    page.get_by_role("button", name="East gate").first.click()
    expect(page.locator(".duty-history li").first).to_contain_text("前方拥堵 / 请减速慢行", timeout=SOON)
    page.screenshot(path=SHOTS / f"duty-{width}.png")
    if AXE.exists():
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name=word("Withdraw: East gate", "撤下: East gate")).click()
    expect(face).to_have_text("".join(FALLBACK), timeout=SOON)
    assert list(sim.lines) == FALLBACK


def test_a_line_that_is_too_wide_is_not_sent_and_words_are_written_by_keys(
    open_page: Callable[..., Page], sim: SimSign, sign: str
) -> None:
    page = open_page("/duty")
    page.get_by_role("button", name="Show a message: East gate").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Line 1")).to_be_focused(timeout=SOON)
    page.keyboard.type("MUCH TOO LONG FOR THE SIGN")
    page.get_by_role("textbox", name="Why").fill("fog")
    show = page.get_by_role("button", name="Show", exact=True)
    expect(show).to_be_disabled()
    expect(page.get_by_text("26 of 20 columns")).to_be_visible()
    page.get_by_role("textbox", name="Line 1").fill("FOG")
    page.keyboard.press("Enter")
    expect(page.locator(".sign-face")).to_have_text("FOG", timeout=SOON)
    assert sim.lines == ("FOG",)
    page.get_by_role("button", name="Withdraw: East gate").click()
    expect(page.locator(".sign-face")).to_have_text("".join(FALLBACK), timeout=SOON)


def test_a_sign_that_cannot_be_reached_is_added_in_the_page_and_shown_as_silent(
    open_page: Callable[..., Page], city: Platform, sign: str
) -> None:
    page = open_page("/duty")
    page.get_by_role("button", name="Add a sign").click()
    page.get_by_role("textbox", name="Name").fill("Bridge")
    page.get_by_role("textbox", name="Address of the sign").fill("http://127.0.0.1:1/safecity/sign/v1")
    page.get_by_role("textbox", name="Longitude and latitude").fill("18.003, 59.305")
    page.screenshot(path=SHOTS / "duty-add.png")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".duty-key")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Close").click()
    row = page.locator(".duty-sign").filter(has_text="Bridge")
    expect(row).to_contain_text("Does not answer", timeout=60_000)
    expect(row).to_contain_text("It cannot be reached.")
    expect(row).to_contain_text("What stands on it is not known")
    row.get_by_role("button", name="Bridge").first.click()
    page.screenshot(path=SHOTS / "duty-silent.png")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=SOON)


def test_the_time_of_a_text_is_over_and_the_page_says_what_stands_there_then(
    open_page: Callable[..., Page], city: Platform, sim: SimSign, sign: str
) -> None:
    page = open_page("/duty")
    end = rfc3339(time.time_ns() // 1000 + 6_000_000)
    city.post(f"/signs/{sign}/messages", {"lines": ["SOON OVER"], "end": end, "reason": "test"})
    face = page.locator(".sign-face")
    expect(face).to_have_text("SOON OVER", timeout=SOON)
    expect(face).to_have_text("".join(FALLBACK), timeout=60_000)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_closure_proposes_is_shown_after_one_click_and_not_before(
    open_page: Callable[..., Page], city: Platform, sim: SimSign, sign: str, language: str
) -> None:
    page = open_page("/duty", language=language)
    word = (lambda english, chinese: chinese) if language == "zh" else (lambda english, chinese: english)
    expect(page.locator(".sign-face")).to_have_text("".join(FALLBACK), timeout=SOON)
    works = {"kind": "works", "reason": word("water main", "供水管抢修"), "line": [[18.0, 59.3 + 2.5 * STEP]]}
    closure = city.post("/traffic/closures", works)["id"]
    proposed = page.get_by_role("button", name=word("Show: East gate", "显示: East gate"))
    expect(proposed).to_be_visible(timeout=SOON)
    assert list(sim.lines) == FALLBACK
    proposed.click()
    expect(page.locator(".sign-face")).to_have_text("前方0.9公里施工封路请提前绕行", timeout=SOON)
    expect(proposed).to_have_count(0, timeout=SOON)
    row = page.get_by_role("button").filter(has_text=works["reason"]).last
    expect(row).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / f"duty-works-{language}.png")
    row.click()
    page.get_by_role("button", name=word("Withdraw: East gate", "撤下: East gate")).click()
    city.api.delete(f"/traffic/closures/{closure}")
    expect(page.locator(".sign-face")).to_have_text("".join(FALLBACK), timeout=SOON)


def test_a_tow_is_called_on_the_map_and_followed_until_the_vehicle_is_away(
    open_page: Callable[..., Page], city: Platform
) -> None:
    page = open_page("/duty")
    page.get_by_role("button", name="Call a tow").click()
    page.get_by_role("textbox", name="Plate").fill("皖a12345")
    page.get_by_role("textbox", name="What the driver").fill("on the bus lane")
    page.get_by_role("textbox", name="Longitude and latitude").fill("18.0, 59.301")
    page.get_by_role("button", name="Call a tow").click()
    row = page.get_by_role("listitem").filter(has_text="皖A12345")
    expect(row).to_contain_text("called", timeout=SOON)
    page.screenshot(path=SHOTS / "duty-tow.png")
    row.get_by_role("button", name="On site").click()
    expect(row).to_contain_text("on site", timeout=SOON)
    row.get_by_role("button", name="Taken away").click()
    row.get_by_role("textbox", name="Where it was brought").fill("yard 3")
    page.keyboard.press("Enter")
    expect(row).to_have_count(0, timeout=SOON)
    (over,) = city.get("/traffic/tows", over=True)["items"]
    assert (over["state"], over["words"], over["taken_to"]) == ("done", "on the bus lane", "yard 3")
    page.get_by_text("Taken away or cancelled").click()
    expect(row).to_contain_text("Brought to: yard 3", timeout=SOON)
    page.screenshot(path=SHOTS / "duty-tow-over.png")
