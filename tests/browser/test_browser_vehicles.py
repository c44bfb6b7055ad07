"""Looking for a vehicle in the browser: what somebody remembers, what was misread, its way, plates on two vehicles."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT

from safecity.kit.clock import rfc3339

SHOTS = ROOT / "output" / "screenshots"
GATES = {"Zhongshan Road": (118.376, 31.335), "Beijing Road": (118.390, 31.340), "Nanjing bridge": (118.780, 32.060)}
HOUR = 3600
SOON = 20_000
"""Milliseconds; a machine may be busy."""


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    """Three checkpoints, and a day of a few vehicles."""
    gates = {
        name: bare.post("/tollgates", {"name": name, "longitude": place[0], "latitude": place[1]})["id"]
        for name, place in GATES.items()
    }
    first, second, third = GATES
    now = time.time() - 6 * HOUR
    seen = [
        (first, 0, "皖B12B45", "white"), (second, 300, "皖B12B45", "white"),
        (third, 2 * HOUR + 900, "皖B12B45", "white"),
        (first, 4, "皖A77777", "red"), (second, 306, "皖A77777", "red"), (third, 2 * HOUR + 905, "皖A77777", "red"),
        (first, 40, "皖B12845", "white"), (second, 900, "苏E00001", "blue"), (third, 960, "苏E00001", "black"),
        (second, 1500, "", "grey"),
    ]  # fmt: skip
    items = [
        {
            "tollgate": gates[gate], "reference": str(number), "source": "camera", "plate": plate, "colour": colour,
            "at": rfc3339(int((now + after) * 1_000_000)), "lane": 1 + number % 3, "confidence": 0.93,
            "vehicle_class": "K33", "speed_kmh": 40 + number, "pictures": [{"kind": "01", "data": picture(plate)}],
        }
        for number, (gate, after, plate, colour) in enumerate(seen)
    ]  # fmt: skip
    bare.post("/sightings", {"items": items})
    return bare


def picture(plate: str) -> str:
    """A grey street with a sign on it."""
    image = np.full((360, 640, 3), 90, np.uint8)
    cv2.rectangle(image, (220, 220), (420, 280), (150, 60, 20), -1)
    cv2.putText(image, plate[1:] or "?", (235, 262), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (255, 255, 255), 2)
    return base64.b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode()


def look(page: Page, plate: str) -> None:
    page.get_by_label("Plate", exact=True).fill(plate)
    page.get_by_role("button", name="Look", exact=True).click()


def table(page: Page, folder: Path) -> list[str]:
    """What is saved as a table."""
    with page.expect_download() as saved:
        page.get_by_text("Save as table").last.click()
    saved.value.save_as(folder / "table.csv")
    return (folder / "table.csv").read_text("utf-8-sig").splitlines()


def test_a_vehicle_is_found_by_what_somebody_remembers_and_its_way_is_shown(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("/tollgates?tab=passages", width=1920, height=1080)
    look(page, "*2?45")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="皖B12B45")).to_have_count(3, timeout=SOON)
    expect(rows.filter(has_text="皖B12845")).to_have_count(1, timeout=SOON)
    page.get_by_role("checkbox", name="Also misreadings").check()
    look(page, "皖B12B45")
    expect(rows.filter(has_text="Near miss")).to_have_count(1, timeout=SOON)
    page.get_by_role("button", name="More conditions").click()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "vehicles-search.png")
    page.get_by_text("Pictures", exact=True).click()
    expect(page.locator(".picture-card")).to_have_count(4, timeout=SOON)
    page.wait_for_function("() => [...document.querySelectorAll('.picture-card img')].every((one) => one.naturalWidth)")
    page.screenshot(path=SHOTS / "vehicles-sheet.png")
    page.locator(".picture-card").first.click()
    page.get_by_role("button", name="Route").click()
    way = page.locator(".way-stop")
    expect(way).to_have_count(3, timeout=SOON)
    expect(way.nth(2)).to_contain_text("Nanjing bridge", timeout=SOON)
    expect(page.locator(".way-leg").nth(1)).to_contain_text("not seen for", timeout=SOON)
    drawn = "() => { const c = document.querySelector('.way-map canvas'); return c && c.width && c.getContext('2d')"
    drawn += ".getImageData(0, 0, c.width, c.height).data.some((one) => one > 200) }"
    page.wait_for_function(drawn)
    page.screenshot(path=SHOTS / "vehicles-route.png")
    stops = table(page, tmp_path)
    assert (len(stops), "Nanjing bridge" in stops[3]) == (4, True)
    page.get_by_role("tab", name="Companions").click()
    expect(page.locator(".company")).to_have_count(1, timeout=SOON)
    expect(page.locator(".company")).to_contain_text("皖A77777", timeout=SOON)
    expect(page.get_by_role("tabpanel", name="Companions")).to_contain_text("Looked through all")
    page.screenshot(path=SHOTS / "vehicles-companions.png")
    met = table(page, tmp_path)
    assert (len(met), met[1].startswith("皖A77777,3,3,")) == (4, True)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_a_plate_on_two_vehicles_is_shown_with_both_pictures(
    open_page: Callable[..., Page], width: int, height: int
) -> None:
    page = open_page("/tollgates?tab=clones", width=width, height=height, language="zh")
    page.get_by_role("button", name="查询", exact=False).click()
    clone = page.locator(".clone")
    expect(clone).to_have_count(1, timeout=SOON)
    expect(clone).to_contain_text("苏E00001", timeout=SOON)
    expect(clone.locator("img")).to_have_count(2, timeout=SOON)
    page.wait_for_function("() => [...document.querySelectorAll('.clone img')].every((one) => one.naturalWidth)")
    page.screenshot(path=SHOTS / f"vehicles-clones-{width}.png")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_table_is_saved_as_it_was_searched(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page("/tollgates?tab=passages")
    look(page, "苏E*")
    expect(page.get_by_role("row").filter(has_text="苏E00001").first).to_be_visible(timeout=20_000)
    lines = table(page, tmp_path)
    assert lines[0].startswith("at,plate,near_miss,")
    assert len(lines) == 3
    assert all("苏E00001" in line for line in lines[1:])
