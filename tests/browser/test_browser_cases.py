"""An investigation in the browser: a case is opened, a search goes into it with what was chosen, and it is read as a
timeline, as pictures, on the map and as a table; what leaves is signed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, choose, sign_in
from tests.browser.test_browser_pages import AXE
from tests.browser.test_browser_vehicles import picture

from safecity.core.ground.packages.api import check_package
from safecity.kit.clock import rfc3339

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
GATES = {
    "Zhongshan Road": ("34020000001210000001", 118.376, 31.335),
    "Beijing Road": ("34020000001210000002", 118.390, 31.340),
}
PLATE = "皖B12B45"


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    SHOTS.mkdir(parents=True, exist_ok=True)
    for number, (name, (code, longitude, latitude)) in enumerate(GATES.items()):
        bare.post("/tollgates", {"name": name, "code": code, "longitude": longitude, "latitude": latitude})
        one = {
            "tollgate": code, "reference": name, "source": "camera", "plate": PLATE, "lane": 2,
            "at": rfc3339(int((time.time() - 600 + 60 * number) * 1_000_000)), "speed_kmh": 47,
            "pictures": [{"kind": "01", "data": picture(PLATE)}],
        }  # fmt: skip
        bare.post("/sightings", {"items": [one]})
    return bare


@pytest.fixture(scope="module")
def wang(city: Platform) -> Iterator[httpx.Client]:
    with closing(sign_in(city, "Wang", "supervisor")) as client:
        yield client


def test_a_search_goes_into_a_case_and_the_case_is_read_and_taken_out(
    city: Platform, wang: httpx.Client, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("/cases", cookies=wang.cookies)
    page.get_by_role("button", name="Open a case").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Case number").fill("A3402-0017")
    form.get_by_label("Title").fill("Lorry taken from the north station")
    form.get_by_label("Legal ground").fill("Criminal Procedure Law, article 54")
    page.screenshot(path=SHOTS / "cases-open.png")
    form.get_by_role("button", name="Open a case").click()
    expect(page.get_by_text("Nothing in it yet")).to_be_visible(timeout=SOON)
    page.get_by_label("Note").fill("Owner saw it at ten in the evening")
    page.get_by_role("button", name="Add a note").click()
    expect(page.get_by_text("Owner saw it at ten")).to_be_visible(timeout=SOON)
    at_case = page.url

    page.goto(f"{city.base}/tollgates?tab=passages")
    choose(page, "Looked at for", "Public security")
    page.get_by_label("Plate", exact=True).fill("皖B12*")
    page.get_by_role("button", name="Look", exact=True).click()
    rows = page.get_by_role("table").get_by_role("row").filter(has_text=PLATE)
    expect(rows).to_have_count(2, timeout=SOON)
    page.get_by_text("Map", exact=True).click()
    expect(page.locator(".way-map canvas")).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / "cases-search-map.png")
    page.get_by_text("Timeline", exact=True).click()
    expect(page.locator(".found-track button")).to_have_count(2, timeout=SOON)
    page.screenshot(path=SHOTS / "cases-search-line.png")
    page.get_by_text("Table", exact=True).click()
    for number in range(2):
        rows.nth(number).get_by_role("checkbox").check()
    page.get_by_role("button", name="Add to case (2)").click()
    choose(page, "Case", "A3402-0017")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("A word about it").fill("On its way north")
    page.screenshot(path=SHOTS / "cases-add.png")
    dialog.get_by_role("button", name="Add to case").click()
    expect(page.get_by_text("Added to the case")).to_be_visible(timeout=SOON)

    page.goto(at_case)
    expect(page.get_by_text("On its way north")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("2 rows there")).to_be_visible()
    expect(page.get_by_text("2 places: Beijing Road, Zhongshan Road")).to_be_visible()
    page.screenshot(path=SHOTS / "cases-timeline.png", full_page=True)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.get_by_role("tab", name="Pictures").click()
    expect(page.locator(".picture-sheet img")).to_have_count(2, timeout=SOON)
    page.screenshot(path=SHOTS / "cases-pictures.png")
    page.get_by_role("tab", name="Map").click()
    expect(page.locator(".way-map canvas")).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / "cases-map.png")
    page.get_by_role("tab", name="Table").click()
    expect(page.get_by_role("table").get_by_role("row").filter(has_text=PLATE)).to_have_count(2, timeout=SOON)

    page.get_by_role("button", name="Take out as package").click()
    why = page.get_by_role("dialog")
    why.get_by_role("button", name="Take out as package").click()
    expect(why.get_by_text("Say why")).to_be_visible(timeout=SOON)
    why.get_by_label("Reason or case number").fill("For the prosecutor")
    page.screenshot(path=SHOTS / "cases-why.png")
    with page.expect_download() as taken:
        why.get_by_role("button", name="Take out as package").click()
    package = tmp_path / "case.zip"
    taken.value.save_as(package)
    left = [one for one in city.get("/audit")["items"] if one["action"] == "case.export"]
    assert [one["reason"] for one in left] == ["For the prosecutor"]
    key = wang.get("/package-key").json()["fingerprint"]
    assert check_package(package, key).wrong == []
    page.goto(f"{city.base}/settings")
    expect(page.get_by_text(key)).to_be_visible(timeout=SOON)

    page.goto(at_case)
    page.get_by_role("button", name="Close case").click()
    page.get_by_role("dialog").get_by_role("button", name="Close case").click()
    expect(page.get_by_role("button", name="Open it again")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Delete case").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("2 entries, 2 results, 2 pictures")).to_be_visible(timeout=SOON)
    page.screenshot(path=SHOTS / "cases-delete.png")
    dialog.get_by_role("button", name="Cancel").click()


def test_the_way_of_a_vehicle_and_a_list_of_alarms_go_into_a_case(
    city: Platform, wang: httpx.Client, open_page: Callable[..., Page]
) -> None:
    wish = {"number": "A-8", "title": "Where it went", "purpose": "security", "ground": "CPL art. 54"}
    made = wang.post("/cases", json=wish, headers={"x-csrf-token": wang.get("/session").json()["csrf"]})
    made.raise_for_status()
    page = open_page("/tollgates?tab=passages", cookies=wang.cookies)
    choose(page, "Looked at for", "Public security")
    page.get_by_label("Plate", exact=True).fill(PLATE)
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("table").get_by_role("row").filter(has_text=PLATE).first.get_by_text(PLATE).click()
    page.get_by_role("button", name="Route").click()
    way = page.locator(".way-stop")
    expect(way).to_have_count(2, timeout=SOON)
    way.first.get_by_role("checkbox").uncheck()
    page.screenshot(path=SHOTS / "cases-route.png")
    page.get_by_role("button", name="Add to case (1)").last.click()
    add_to(page, "A-8", "It came from the south")

    page.goto(f"{city.base}/alarms?state=all")
    page.get_by_role("button", name="Add list to case").click()
    add_to(page, "A-8", "No alarm all evening")
    page.goto(f"{city.base}/cases/{made.json()['id']}")
    expect(page.get_by_text("It came from the south")).to_be_visible(timeout=SOON)
    way_entry = page.get_by_role("listitem").filter(has_text="It came from the south").first
    expect(way_entry).to_contain_text("Search of passages · Route")
    expect(way_entry).to_contain_text("first seen")
    expect(way_entry.locator(".case-results li")).to_have_count(1)
    expect(page.get_by_text("Search of alarms")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="No alarm all evening").first).to_contain_text("found")
    page.screenshot(path=SHOTS / "cases-findings.png", full_page=True)


def add_to(page: Page, case: str, words: str) -> None:
    """Through the dialog that every list has."""
    choose(page, "Case", case)
    dialog = page.get_by_role("dialog").filter(has_text="A word about it")
    dialog.get_by_label("A word about it").fill(words)
    dialog.get_by_role("button", name="Add to case").click()
    expect(page.get_by_text("Added to the case")).to_be_visible(timeout=SOON)


def test_in_chinese_on_every_width(city: Platform, wang: httpx.Client, open_page: Callable[..., Page]) -> None:
    made = wang.post(
        "/cases",
        json={"number": "皖A-7", "title": "北站货车被盗案", "purpose": "security", "ground": "刑事诉讼法第五十四条"},
        headers={"x-csrf-token": wang.get("/session").json()["csrf"]},
    )
    made.raise_for_status()
    for width, height in ((1920, 1080), (1280, 800), (390, 844)):
        for path, words in (("/cases", "北站货车被盗案"), (f"/cases/{made.json()['id']}", "刑事诉讼法第五十四条")):
            page = open_page(path, language="zh", width=width, height=height, cookies=wang.cookies)
            expect(page.get_by_text(words).first).to_be_visible(timeout=SOON)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            name = "case" if path != "/cases" else "list"
            page.screenshot(path=SHOTS / f"cases-{name}-zh-{width}.png")
