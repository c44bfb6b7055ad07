"""Every page in both languages: it opens without complaint, axe finds nothing serious, and each width holds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, wait_for

AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = ROOT / "output" / "screenshots"
SIZES = ((390, 844), (1280, 800), (1920, 1080))
LIES = """(all) => all.map((each) => [
  each.getBoundingClientRect().bottom, each.lastChild.scrollWidth - each.lastChild.clientWidth,
])"""
GO_TO = "(path) => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }"
PAGES = {
    "live": ("Live", "实时"),
    "playback": ("Playback", "回放"),
    "alarms": ("Alarms", "报警"),
    "devices": ("Devices", "设备"),
    "tollgates": ("Checkpoints", "卡口"),
    "watches": ("Watches", "布控"),
    "violations": ("Violations", "违法审核"),
    "cases": ("Cases", "案件"),
    "traffic": ("Traffic", "交通"),
    "duty": ("Traffic duty", "交通值班"),
    "health": ("Health", "运行状况"),
    "exports": ("Exports", "导出"),
    "areas": ("Areas", "行政区划"),
    "organisations": ("Organisations", "组织机构"),
    "users": ("Users", "用户"),
    "audit": ("Audit", "审计"),
    "settings": ("Settings", "设置"),
    "wizard": ("First run", "初次设置"),
}


def visit(page: Page, path: str, heading: str) -> None:
    """Go to a page of the application without loading it anew, and wait until it stands."""
    page.evaluate(GO_TO, f"/{path}")
    expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_attached(timeout=20_000)
    wait_for(page, "() => !document.querySelector('.ant-spin')")
    page.wait_for_timeout(200)


def test_axe_finds_nothing_serious(open_page: Callable[..., Page]) -> None:
    if not AXE.exists():
        pytest.skip("axe-core comes with ui/node_modules")
    page = open_page("/live")
    page.evaluate(AXE.read_text("utf-8"))
    serious: list[str] = []
    for path, (heading, _) in PAGES.items():
        visit(page, path, heading)
        result: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        serious += [
            f"{path}: {found['id']}: {[node['html'][:160] for node in found['nodes'][:3]]}"
            for found in result["violations"]
            if found["impact"] in ("serious", "critical")
        ]
    assert not serious, "\n".join(serious)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_and_fits(open_page: Callable[..., Page], language: str) -> None:
    """Each stands up on a telephone, where room is least, and is then drawn wider."""
    page = open_page("/live", width=390, height=844, language=language)
    for width, _ in SIZES:
        (SHOTS / language / str(width)).mkdir(parents=True, exist_ok=True)
    for path, names in PAGES.items():
        for at, (width, height) in enumerate(SIZES):
            page.set_viewport_size({"width": width, "height": height})
            if at == 0:
                visit(page, path, names[language == "zh"])
            else:
                page.wait_for_timeout(100)
            page.screenshot(path=SHOTS / language / str(width) / f"{path}.png")
            sideways = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert sideways <= 0, f"{path} scrolls sideways by {sideways} px at {width}"


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_the_menu_is_whole_on_a_small_screen(open_page: Callable[..., Page], width: int, height: int) -> None:
    """On a notebook each page is seen without scrolling; a telephone has few of them, with their names in full."""
    page = open_page("/health", width=width, height=height)
    expect(page.get_by_role("heading", name="Health")).to_be_visible(timeout=20_000)
    rail = page.get_by_role("navigation", name="Pages")
    lies: list[list[float]] = rail.locator("a, button").filter(visible=True).evaluate_all(LIES)
    assert len(lies) == (len(PAGES) + 1 if width > 760 else 6), "with Vehicles, or with More"
    assert all(bottom <= height and clipped <= 0 for bottom, clipped in lies), lies


def test_the_language_changes_without_a_reload(open_page: Callable[..., Page]) -> None:
    page = open_page("/health")
    expect(page.get_by_role("heading", name="Health")).to_be_visible(timeout=20_000)
    page.evaluate("() => { window.__same = true }")
    page.get_by_role("button", name="User menu").click()
    page.get_by_role("menuitem", name="中文").click()
    expect(page.get_by_role("heading", name="运行状况")).to_be_visible()
    assert page.evaluate("() => window.__same")


def test_the_search_box_finds_a_camera_by_its_pinyin_initials(city: Platform, open_page: Callable[..., Page]) -> None:
    page = open_page("/health")
    expect(page.get_by_role("heading", name="Health")).to_be_visible(timeout=20_000)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search").fill("bjdl")
    expect(page.get_by_role("option").filter(has_text="北京东路").first).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/live")


def test_signing_out_leads_to_the_sign_in_page(open_page: Callable[..., Page], city: Platform) -> None:
    page = open_page("/live")
    # A session of its own, so that the fixture's stays open.
    page.context.clear_cookies()
    page.goto(f"{city.base}/live")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill("wrong password here")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=20_000)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="User menu").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_passages_are_shown_once_somebody_says_what_for(open_page: Callable[..., Page]) -> None:
    page = open_page("/tollgates?tab=passages")
    expect(page.get_by_text("Looking at passages is written down with its purpose.")).to_be_visible(timeout=20_000)

    def found() -> bool:
        page.get_by_role("button", name="Look", exact=True).click()
        page.wait_for_timeout(500)
        return page.locator("img[alt=Picture]").count() > 0

    for _ in range(60):  # a vehicle comes by every few seconds
        if found():
            break
    row = page.get_by_role("row").filter(has_text="Camera").first
    row.click()
    expect(page.get_by_role("dialog").locator("img[alt=Picture]").first).to_be_visible()
    page.screenshot(path=SHOTS / "passage.png")


def test_a_checkpoint_is_added_and_changed(open_page: Callable[..., Page], city: Platform) -> None:
    page = open_page("/tollgates")
    page.get_by_role("button", name="Add checkpoint").click()
    page.get_by_label("Name", exact=True).fill("North gate")
    page.get_by_role("button", name="Add lane").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("North gate").first).to_be_visible(timeout=20_000)
    made = next(one for one in city.get("/tollgates")["items"] if one["name"] == "North gate")
    assert [lane["number"] for lane in made["lanes"]] == [1, 2]
    page.get_by_text("North gate").first.click()
    expect(page.get_by_role("dialog").get_by_text("Change checkpoint")).to_be_visible()
    page.screenshot(path=SHOTS / "checkpoint.png")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).last.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).last.click()
    expect(page.get_by_text("North gate")).to_have_count(0)


ROWS_OTHER_THAN = """(before) => {
  const rows = [...document.querySelectorAll('[role=treeitem]')].map((row) => row.textContent)
  return rows.length !== before.length || rows.some((row, place) => row !== before[place])
}"""


def test_a_tree_of_many_devices_is_shown_part_by_part(city: Platform, open_page: Callable[..., Page]) -> None:
    """The server gives two at a time here; elsewhere five hundred."""
    devices = {one["name"] for one in city.get("/devices")["items"] if one["kind"] in ("gb28181", "rtsp")}
    assert len(devices) > 4
    page = open_page("/live")
    page.route("**/api/v1/tree?*", lambda route: route.continue_(url=f"{route.request.url}&limit=2"))
    page.evaluate("localStorage.removeItem('safecity.tree')")
    page.reload()
    rows = page.get_by_role("treeitem")
    for name in sorted(devices):
        row, more = rows.filter(has_text=name).first, rows.filter(has_text="Show more").last
        expect(row.or_(more).first).to_be_visible()
        while not row.is_visible():
            shown = rows.all_text_contents()
            more.click()
            wait_for(page, ROWS_OTHER_THAN, shown)
        expect(row).to_be_visible()


def test_the_days_of_a_year_are_one_stop_of_the_tabulator_and_walked_by_keys(open_page: Callable[..., Page]) -> None:
    page = open_page("/settings")
    stop = page.locator(".year .day[tabindex='0']")
    expect(stop).to_have_count(1, timeout=20_000)
    stop.focus()
    for key in ("Home", *["PageUp"] * 11, "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    at = page.locator(".year .day:focus")
    expect(at).to_have_attribute("data-day", re.compile("-01-09$"))
    expect(stop).to_have_count(1)
    pressed = at.get_attribute("aria-pressed")
    page.keyboard.press("Enter")
    expect(at).not_to_have_attribute("aria-pressed", str(pressed))
