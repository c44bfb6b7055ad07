"""Two people and a vehicle in the browser: one proposes, the other approves, it passes, and somebody says what came of
it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, choose, sign_in
from tests.browser.test_browser_vehicles import picture

from safecity.kit.clock import rfc3339

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
GATES = {"Zhongshan Road": "34020000001210000001", "Beijing Road": "34020000001210000002"}


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    SHOTS.mkdir(parents=True, exist_ok=True)
    for name, code in GATES.items():
        bare.post("/tollgates", {"name": name, "code": code, "longitude": 118.376, "latitude": 31.335})
    return bare


@pytest.fixture(scope="module")
def people(city: Platform) -> Iterator[dict[str, httpx.Client]]:
    with closing(sign_in(city, "Li", "operator")) as li, closing(sign_in(city, "Wang", "supervisor")) as wang:
        yield {"Li": li, "Wang": wang}


def passes(city: Platform, plate: str, gate: str) -> None:
    one = {
        "tollgate": GATES[gate], "reference": gate, "source": "camera", "plate": plate, "lane": 2,
        "at": rfc3339(int(time.time() * 1_000_000)), "speed_kmh": 47, "direction": "west_east", "confidence": 0.94,
        "pictures": [{"kind": "01", "data": picture(plate)}],
    }  # fmt: skip
    city.post("/sightings", {"items": [one]})


def test_one_proposes_another_approves_it_passes_and_somebody_reports(
    city: Platform, people: dict[str, httpx.Client], open_page: Callable[..., Page]
) -> None:
    officer = open_page("/watches?tab=watches", cookies=people["Li"].cookies)
    officer.get_by_role("button", name="Propose a watch").click()
    form = officer.get_by_role("dialog")
    form.get_by_label("Plate", exact=True).fill("皖B12B45")
    expect(form.get_by_text("This plate and no other")).to_be_visible(timeout=SOON)
    form.get_by_label("Try a plate").fill("皖B12845")
    expect(form.get_by_text("≈ hits as a near miss")).to_be_visible(timeout=SOON)
    form.get_by_label("Reason").fill("Stolen on Monday evening in front of the north station")
    form.get_by_label("Case number").fill("A3402-0017")
    officer.screenshot(path=SHOTS / "watches-propose.png")
    form.get_by_role("button", name="Propose a watch").click()
    row = officer.get_by_role("table").get_by_role("row").filter(has_text="皖B12B45")
    expect(row).to_contain_text("proposed", timeout=SOON)
    row.click()
    expect(officer.get_by_role("button", name="Approve")).to_have_count(0)
    officer.keyboard.press("Escape")

    chief = open_page("/watches?tab=queue", cookies=people["Wang"].cookies)
    chief.get_by_role("table").get_by_role("row").filter(has_text="皖B12B45").click()
    expect(chief.get_by_text("Stolen on Monday").last).to_be_visible(timeout=SOON)
    chief.get_by_label("A word about it").fill("Case checked")
    chief.screenshot(path=SHOTS / "watches-approve.png")
    chief.get_by_role("button", name="Approve").click()
    expect(chief.get_by_role("dialog").get_by_text("in force").first).to_be_visible(timeout=SOON)

    officer.goto(f"{city.base}/watches")
    expect(officer.get_by_text("No hits")).to_be_visible(timeout=SOON)
    passes(city, "皖B12B45", "Zhongshan Road")
    hit = officer.get_by_role("table").get_by_role("row").filter(has_text="皖B12B45")
    expect(hit).to_contain_text("sign within", timeout=SOON)
    expect(hit).to_contain_text("Zhongshan Road")
    passes(city, "皖B12845", "Beijing Road")
    near = officer.get_by_role("table").get_by_role("row").filter(has_text="Near miss")
    expect(near).to_have_count(1, timeout=SOON)
    officer.screenshot(path=SHOTS / "watches-hits.png")

    officer.goto(f"{city.base}/alarms")
    alarm = officer.get_by_role("table").get_by_role("row").filter(has_text=re.compile("Watch hit"))
    expect(alarm).to_have_count(1, timeout=SOON)
    expect(officer.get_by_role("table").get_by_role("row").filter(has_text="Possible watch hit")).to_have_count(1)
    officer.screenshot(path=SHOTS / "watches-alarms.png")
    alarm.get_by_role("button", name="Hit").click()
    drawer = officer.get_by_role("dialog")
    expect(drawer.get_by_alt_text("Picture")).to_be_visible(timeout=SOON)
    drawer.get_by_role("button", name="Sign for").click()
    expect(drawer.get_by_text("report within")).to_be_visible(timeout=SOON)
    choose(officer, "What came of it", "Vehicle stopped")
    drawer.get_by_label("In words").fill("Stopped at kilometre 3, driver held")
    officer.screenshot(path=SHOTS / "watches-report.png")
    drawer.get_by_role("button", name="Report back").click()
    expect(drawer.get_by_text("Reported by")).to_be_visible(timeout=SOON)
    (done,) = [one for one in people["Wang"].get("/hits").json()["items"] if one["kind"] == "exact"]
    assert (done["signed_by"], done["reported_by"], done["result"]) == ("Li", "Li", "caught")


def test_by_keyboard_and_in_chinese_on_every_width(
    city: Platform, people: dict[str, httpx.Client], open_page: Callable[..., Page]
) -> None:
    page = open_page("/watches", language="zh", width=1920, height=1080, cookies=people["Li"].cookies)
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="疑似命中")).to_have_count(1, timeout=SOON)
    page.screenshot(path=SHOTS / "watches-hits-zh-1920.png")
    page.keyboard.press("a")
    expect(rows.filter(has_text="内反馈")).to_have_count(1, timeout=SOON)
    for width, height in ((1280, 800), (390, 844)):
        for tab in ("hits", "watches"):
            narrow = open_page(
                f"/watches?tab={tab}", language="zh", width=width, height=height, cookies=people["Li"].cookies
            )
            expect(narrow.get_by_text("皖B12B45" if tab == "watches" else "疑似命中").first).to_be_visible(timeout=SOON)
            assert narrow.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            narrow.screenshot(path=SHOTS / f"watches-{tab}-zh-{width}.png")
