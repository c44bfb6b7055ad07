"""What else the roads tell in the browser: who stands on them, how long they take, what they cost, whose they are, and
which days are holidays."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, choose
from tests.unit.traffic.standstill import METRE, STREET, TRUNK, roads

from safecity.kit.clock import rfc3339
from safecity.roads.network.versions import put_version

SHOTS = ROOT / "output" / "screenshots"
SOON = 30_000
"""Milliseconds; a machine may be busy."""
SECOND = 1_000_000


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    """A trunk road and a street to the north, 570 m apart."""
    put_version(bare.data / "roads", roads(), dropped={}, sources=("x",), at_us=time.time_ns() // 1000)
    until(lambda: bare.api.get("/traffic/network").status_code == 200, "the network is taken up", 180.0)
    return bare


def place(metres: float, longitude: float = TRUNK) -> str:
    return f"{longitude}, {59.3 + metres * METRE:.7f}"


def stop_on_the_trunk_road(city: Platform, code: str, metres: float) -> None:
    """A phone in a car drives there, and has stood for two and a half minutes."""
    made = city.post("/devices", {"kind": "http", "code": code, "name": code})
    now = time.time_ns() // 1000
    driven = [(-180 + 5 * n, metres - 500 + 100 * n) for n in range(5)]
    told = driven + [(-155 + 10 * n, metres) for n in range(15)]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [TRUNK, 59.3 + at * METRE]},
            "properties": {"time": rfc3339(now + second * SECOND), "speed_kmh": 0 if at == metres else 72},
        }
        for second, at in told
    ]
    answer = httpx.post(
        f"{city.base}/api/v1/positions", json={"type": "FeatureCollection", "features": features},
        headers={"authorization": f"Bearer {made['registration']['password']}"}, timeout=30,
    )  # fmt: skip
    assert answer.json() == {"accepted": len(features), "refused": []}


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"roads-{name}.png")


def test_who_stands_on_the_road_is_listed_until_somebody_says_what_it_is(
    open_page: Callable[..., Page], city: Platform
) -> None:
    stop_on_the_trunk_road(city, "stands-1", 1_500)
    until(lambda: city.get("/traffic/incidents")["items"], "the vehicle that stands is found", 60.0)
    page = open_page("/traffic")
    page.get_by_role("tab", name="Incidents (1)").click(timeout=SOON)
    row = page.get_by_role("listitem").filter(has_text="Stopped vehicle")
    expect(row).to_contain_text("1 vehicles", timeout=SOON)
    shot(page, "incident")
    row.get_by_role("button", name="Confirm", exact=True).click()
    expect(row).to_contain_text("confirmed by admin", timeout=SOON)
    expect(row.get_by_role("button", name="Confirm", exact=True)).to_have_count(0)
    assert city.get("/traffic/incidents")["items"][0]["state"] == "confirmed"
    row.get_by_role("button", name="It is over").click()
    expect(page.get_by_text("No stopped vehicle and no accident is known.")).to_be_visible(timeout=SOON)


def test_a_section_is_added_and_tells_how_long_it_takes_now(open_page: Callable[..., Page], city: Platform) -> None:
    gates = [city.post("/tollgates", {"name": name})["id"] for name in ("South gate", "North gate")]
    page = open_page("/traffic")
    page.get_by_role("tab", name="Times").click(timeout=SOON)
    page.get_by_role("button", name="Add section").first.click()
    form = page.locator("form.traffic-form")
    form.get_by_label("Name").fill("Trunk road")
    choose(page, "From checkpoint", "South gate")
    choose(page, "To checkpoint", "North gate")
    form.get_by_label("Length (m)").fill("5000")
    form.get_by_role("button", name="Add section").click()
    row = page.get_by_role("button", name="Trunk road")
    expect(row).to_contain_text("nobody now", timeout=SOON)
    now = time.time_ns() // 1000
    city.post("/sightings", {"items": [
        {"tollgate": gate, "reference": f"{gate}-{n}", "source": "camera", "plate": f"皖A1000{n}", "confidence": 0.9,
         "lane": 1, "at": rfc3339(now - (600 - 10 * n - took) * SECOND)}
        for n in range(4) for gate, took in ((gates[0], 0), (gates[1], 300))
    ]})  # fmt: skip
    until(lambda: city.get("/traffic/sections")["items"][0]["now"], "four drives are known", 60.0)
    page.reload()
    page.get_by_role("tab", name="Times").click(timeout=SOON)
    expect(row).to_contain_text("5:00", timeout=SOON)
    expect(row).to_contain_text("60 km/h")
    row.click()
    expect(page.get_by_text("South gate to North gate, 5.0 km")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("4 vehicles, 0 drives left out")).to_be_visible()
    shot(page, "times")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No section yet.", exact=False)).to_be_visible(timeout=SOON)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_a_toll_is_set_by_keys_and_taken_away(
    open_page: Callable[..., Page], city: Platform, language: str, width: int
) -> None:
    word = (lambda english, chinese: chinese) if language == "zh" else (lambda english, chinese: english)
    page = open_page("/traffic", width=width, height=844, language=language)
    page.get_by_role("tab", name=word("Tolls", "收费")).click(timeout=SOON)
    page.get_by_role("button", name=word("Add toll", "添加收费")).click()
    page.get_by_label(word("Name", "名称"), exact=True).fill("Bridge")
    save = page.get_by_role("button", name=word("Save", "保存"))
    expect(save).to_be_disabled()
    shown = page.get_by_role("application")
    shown.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")  # the middle of the map lies on a street between the two roads
    expect(page.get_by_text(word("1 places chosen", "已选 1 处"))).to_be_visible(timeout=SOON)
    expect(page.get_by_role("group", name=word("Prices (CNY)", "价格 (CNY)"))).to_be_visible()
    page.get_by_label(word("Amount, price 1", "金额，第 1 条价格")).fill("25")
    shot(page, f"toll-form-{width}")
    save.click()
    row = page.locator(".traffic-toll")
    expect(row).to_contain_text(word("1 gantries", "1 个收费控制点"), timeout=SOON)
    row.get_by_role("button", name="Bridge").click()
    expect(page.get_by_role("table", name=word("Prices", "价格"))).to_contain_text("07:00–19:00")
    expect(page.get_by_role("table", name=word("Prices", "价格"))).to_contain_text("25.00")
    assert city.get("/traffic/tolls")["items"][0]["prices"][0]["amount"] == 2500, "in fen"
    shot(page, f"toll-{width}")
    row.get_by_role("button", name=word("Change", "修改")).click()
    page.get_by_role("checkbox", name=word("Is paid", "启用")).uncheck()
    save.click()
    expect(row).to_contain_text(word("off", "停用"), timeout=SOON)
    assert not city.get("/traffic/tolls")["items"][0]["enabled"], "kept, and nobody pays"
    row.get_by_role("button", name=word("Delete", "删除")).click()
    page.get_by_role("dialog").get_by_role("button", name=word("Delete", "删除")).click()
    expect(row).to_have_count(0, timeout=SOON)


def test_the_border_of_an_area_is_taken_from_a_file_and_what_lies_in_it_is_named_after_it(
    open_page: Callable[..., Page], city: Platform, tmp_path: Path
) -> None:
    area = city.post("/areas", {"name": "North side", "code": "3402"})["id"]
    ring = [[17.9, 59.3 + 3_000 * METRE], [18.1, 59.3 + 3_000 * METRE], [18.1, 59.4], [17.9, 59.4]]
    border = tmp_path / "border.geojson"
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    border.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": shape}), "utf-8")
    wrong = tmp_path / "wrong.geojson"
    wrong.write_text('{"type": "Point", "coordinates": [18, 59]}', "utf-8")
    page = open_page("/areas")
    page.get_by_text("North side").click(timeout=SOON)
    part = page.get_by_role("region", name="Border")
    expect(part.get_by_role("status")).to_have_text("Not drawn", timeout=SOON)
    file = page.locator("input[type=file]")
    file.set_input_files(wrong)
    expect(part.get_by_role("alert")).to_have_text("This file holds no single polygon.")
    file.set_input_files(border)
    expect(part.get_by_role("status")).to_have_text("Drawn", timeout=SOON)
    assert city.get(f"/areas/{area}/outline")["coordinates"] == [[[*ring, ring[0]]]]
    shot(page, "border")
    works = {"kind": "works", "reason": "pipes", "line": [[STREET, 59.3 + 3_500 * METRE]]}
    closure = city.post("/traffic/closures", works)
    assert closure["area"] == area
    city.api.delete(f"/traffic/closures/{closure['id']}")
    part.get_by_role("button", name="Erase border").click()
    expect(part.get_by_role("status")).to_have_text("Not drawn", timeout=SOON)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_holidays_are_taken_from_a_list_clicked_in_the_year_and_kept(
    open_page: Callable[..., Page], city: Platform, language: str
) -> None:
    word = (lambda english, chinese: chinese) if language == "zh" else (lambda english, chinese: english)
    page = open_page("/settings", language=language)
    card = page.get_by_role("region", name=word("Holidays", "节假日"))
    card.get_by_text(word("Import a list", "导入列表")).click(timeout=SOON)
    text = card.get_by_role("textbox", name=word("Import a list", "导入列表"))
    text.fill(word("2026-10-01 2026-10-03 holiday\n2026-10-99 holiday", "2026-10-01 ~ 2026-10-03 休\n2026-10-99 休"))
    card.get_by_role("button", name=word("Take over", "导入"), exact=True).click()
    expect(card.get_by_role("alert")).to_contain_text("2")
    expect(card.get_by_text(word("Year 2026", "2026 年"), exact=True)).to_be_visible()
    holiday = card.get_by_role("button", name=word("2026-10-01: Sunday or holiday", "2026-10-01：周日或节假日"))
    expect(holiday).to_have_attribute("aria-pressed", "true")
    saturday = card.get_by_role("button", name=word("2026-10-10: Saturday", "2026-10-10：周六"))
    saturday.click()
    worked = card.get_by_role("button", name=word("2026-10-10: working day", "2026-10-10：工作日"))
    expect(worked).to_have_attribute("aria-pressed", "true")
    expect(card.get_by_role("status")).to_contain_text("4")
    shot(page, f"holidays-{language}")
    card.get_by_role("button", name=word("Save", "保存")).click()
    days = {"2026-10-01": "sunday", "2026-10-02": "sunday", "2026-10-03": "sunday", "2026-10-10": "working"}
    until(lambda: city.get("/settings")["day_kinds"] == days or None, "they are kept")
    page.reload()
    expect(holiday).to_have_attribute("aria-pressed", "true", timeout=SOON)
    holiday.click()
    card.get_by_role("button", name=word("Save", "保存")).click()
    until(lambda: "2026-10-01" not in city.get("/settings")["day_kinds"] or None, "it is a working day again")
    city.api.patch("/settings", json={"day_kinds": {}}).raise_for_status()
