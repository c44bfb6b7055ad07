"""Traffic in the browser: the roads, a way by two clicks, a closure that the way heeds, all of it by keys as well."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Locator, Page, expect
from tests.browser.conftest import ROOT
from tests.ladder import NORTH, SOUTH, STEP, ladder

from safecity.kit.clock import rfc3339
from safecity.roads.network.versions import put_version

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
WIDTHS = [(1920, 1080), (1280, 800), (390, 844)]


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    """Two streets and the rungs between them."""
    put_version(bare.data / "roads", ladder(), dropped={"no_length": 2}, sources=("x",), at_us=time.time_ns() // 1000)
    until(lambda: bare.api.get("/traffic/network").status_code == 200, "the network is taken up", 180.0)
    return bare


def typed(place: tuple[float, float], between: str = ", ") -> str:
    """As a person would write it."""
    return between.join(f"{number:.6f}" for number in place)


def road_map(page: Page) -> Locator:
    shown = page.get_by_role("application")
    expect(shown).to_be_visible(timeout=SOON)
    return shown


def drawn(page: Page) -> int:
    """Pixels of the canvas that are not empty."""
    return page.evaluate(
        "() => { const c = document.querySelector('.road-map canvas');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n }"
    )


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_way_is_found_between_two_places_and_goes_round_a_road_that_was_closed(
    open_page: Callable[..., Page], city: Platform, width: int, height: int
) -> None:
    page = open_page("/traffic", width=width, height=height, language="zh" if width == 1280 else "en")
    word = (lambda english, chinese: chinese) if width == 1280 else (lambda english, chinese: english)
    road_map(page)
    page.wait_for_function("() => document.querySelector('.road-map canvas').width > 0")
    until(lambda: drawn(page) > 500 or None, "the roads are drawn")
    page.get_by_role("textbox", name=word("From", "起点")).fill(typed(SOUTH))
    page.get_by_role("textbox", name=word("To", "终点")).fill(typed(NORTH, " "))
    ways = page.locator(".traffic-way")
    expect(ways.first).to_contain_text(word("2.0 km", "2.0 公里"), timeout=SOON)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"traffic-way-{width}.png")

    page.get_by_role("tab", name=word("Closures", "封闭")).click()
    road_map(page).focus()
    page.keyboard.press("Home")
    # The middle of the map is the middle of the ladder, on a rung; the western street is half of it away.
    places = page.get_by_role("status").filter(has_text=word("places chosen", "已选"))
    expect(places).to_contain_text("0", timeout=SOON)
    page.keyboard.press("Enter")
    expect(places).to_contain_text("1", timeout=SOON)
    page.get_by_role("button", name=word("Clear", "清除")).click()
    city.post("/traffic/closures", {"kind": "works", "reason": "water main", "line": [[18.0, 59.3 + 2.5 * STEP]]})
    row = page.locator(".traffic-closure")
    expect(row).to_contain_text("water main", timeout=SOON)
    page.screenshot(path=SHOTS / f"traffic-closure-{width}.png")
    page.get_by_role("tab", name=word("Ways", "路线")).click()
    page.get_by_role("textbox", name=word("To", "终点")).fill(typed(NORTH))
    expect(ways.first).to_contain_text(word("2.8 km", "2.8 公里"), timeout=SOON)
    page.get_by_role("tab", name=word("Closures", "封闭")).click()
    row.get_by_role("button", name=word("Open", "解除"), exact=True).click()
    expect(row).to_have_count(0, timeout=SOON)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_what_a_way_costs_is_told_and_whoever_wants_to_pay_nothing_is_led_around(
    open_page: Callable[..., Page], city: Platform
) -> None:
    gantry = {"longitude": 18.0, "latitude": 59.3 + 2.5 * STEP, "bearing": 0}
    price = {"since": "00:00", "until": "24:00", "amount": 50}
    toll = city.post("/traffic/tolls", {"name": "West street", "gantries": [gantry], "prices": [price]})["id"]
    page = open_page("/traffic")
    page.get_by_role("textbox", name="From").fill(typed(SOUTH))
    page.get_by_role("textbox", name="To").fill(typed(NORTH))
    ways = page.locator(".traffic-way")
    expect(ways.first).to_contain_text("toll CN¥0.50", timeout=SOON)
    expect(ways.first).to_contain_text("2.0 km")
    page.get_by_role("checkbox", name="Avoid tolls").check()
    expect(ways.first).to_contain_text("2.8 km", timeout=SOON)
    expect(ways.first).to_contain_text("toll CN¥0.00")
    page.screenshot(path=SHOTS / "traffic-toll-way.png")
    city.api.delete(f"/traffic/tolls/{toll}").raise_for_status()


def test_a_road_is_closed_by_a_click_and_a_reason(open_page: Callable[..., Page], city: Platform) -> None:
    page = open_page("/traffic")
    shown = road_map(page)
    page.get_by_role("tab", name="Closures").click()
    until(lambda: drawn(page) > 500 or None, "the roads are drawn")
    box = shown.bounding_box()
    assert box is not None
    shown.click(position={"x": box["width"] / 2, "y": 21 + (box["height"] - 40) / 10})
    expect(page.get_by_text("1 places chosen")).to_be_visible(timeout=SOON)
    close = page.get_by_role("button", name="Close this road")
    expect(close).to_be_disabled()
    page.get_by_role("textbox", name="Why").fill("a tree lies there")
    close.click()
    note = page.get_by_text("There is no road within", exact=False)
    row = page.locator(".traffic-closure")
    expect(note.or_(row).first).to_be_visible(timeout=SOON)
    for closure in city.get("/traffic/closures")["items"]:
        city.api.delete(f"/traffic/closures/{closure['id']}")


def test_what_was_left_out_of_the_map_is_told(open_page: Callable[..., Page], city: Platform) -> None:
    page = open_page("/traffic")
    page.get_by_role("tab", name="Network").click()
    expect(page.get_by_text("without length: 2")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("ladder", exact=True)).to_be_visible()


def test_what_a_loop_counts_is_seen_with_its_share_of_kinds(open_page: Callable[..., Page], city: Platform) -> None:
    minute = int(time.time()) // 60 * 60
    told = {
        "source": "loops", "place": "km 1", "longitude": 18.0, "latitude": 59.3 + 1.5 * STEP, "bearing": 0, "lanes": 2,
        "count": 40, "kinds": {"car": 30, "truck": 10}, "speed_kmh": 52,
    }  # fmt: skip
    items = [{**told, "since": rfc3339((minute - 60 * n) * 10**6), "until": rfc3339((minute - 60 * n + 60) * 10**6)}
             for n in range(2, 8)]  # fmt: skip
    filed = city.post("/traffic/counts", {"items": items})
    assert {one["outcome"] for one in filed["items"]} == {"new"}
    page = open_page("/traffic")
    page.get_by_role("tab", name="Counts").click()
    row = page.get_by_role("button", name="km 1")
    expect(row).to_contain_text("2400 /h", timeout=SOON)
    row.click()
    expect(page.get_by_role("list", name="Kinds of vehicles")).to_contain_text("lorries25 %", timeout=SOON)
    expect(page.get_by_role("img", name="Flow of the last day")).to_be_visible()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "traffic-counts.png")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=SOON)
