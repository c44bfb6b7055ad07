"""The page of health says in words how the broker is that positions come from and what was not taken, and how libraries
above are that the platform registers at."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import ROOT

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
BROKER = {
    "name": "broker.example:8883", "state": "offline", "since": "2026-11-26T08:00:00.000000Z", "code": "mqtt_login",
    "sentence": "broker.example:8883 does not accept the name or the password in mqtt.url.", "messages": 1200,
    "taken": 1180, "doubled": 3, "waiting": 7,
    "refused": [{"code": "position_old", "sentence": "It is older than 7 days.", "times": 17}],
}  # fmt: skip

NO = "The library above refuses us (HTTP 403)."
UPPERS = [
    {"place": "10.1.0.1:8080", "state": "registered", "since": "2026-11-26T08:00:00.000000Z",
     "heard": "2026-11-26T08:05:00.000000Z", "code": "", "sentence": "", "times": 2},
    {"place": "10.2.0.1:8080", "state": "refused", "since": "2026-11-26T08:00:00.000000Z", "heard": None,
     "code": "viid_upper_refused", "sentence": NO, "times": 0},
]  # fmt: skip


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


def with_others(route: Route) -> None:
    """What the platform says, and a broker and two libraries above."""
    told = route.fetch()
    route.fulfill(response=told, body=json.dumps({**told.json(), "broker": BROKER, "uppers": UPPERS}))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_broker_and_a_library_above_that_say_no_are_seen_at_once_and_their_figures_in_one_click(
    open_page: Callable[..., Page], width: int
) -> None:
    page = open_page("/health", width=width, height=844)
    expect(page.get_by_role("heading", name="Health")).to_be_visible(timeout=SOON)
    for name in ("Broker", "Upper libraries"):
        expect(page.get_by_role("tab", name=name)).to_have_count(0)
    page.route("**/api/v1/health", with_others)
    expect(page.get_by_text(f"▲ Broker: {BROKER['sentence']}")).to_be_visible(timeout=SOON)
    expect(page.get_by_text(f"▲ Upper libraries 10.2.0.1:8080: {NO}")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Upper libraries 10.1.0.1:8080", exact=False)).to_have_count(0)
    if width < 600:  # tabs that have no room are in a menu behind the last one
        page.locator(".ant-tabs-nav-more").click(timeout=SOON)
        page.get_by_role("option", name="Broker").click(timeout=SOON)
    else:
        page.get_by_role("tab", name="Broker").click(timeout=SOON)
    panel = page.locator(".panel", has_text="broker.example:8883")
    expect(panel).to_contain_text("1180")
    expect(panel).to_contain_text("It is older than 7 days.")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"health-broker-{width}.png")
    page.get_by_role("tab", name="Upper libraries").click(timeout=SOON)  # beside it, and in sight now
    good, bad = (page.locator(".panel", has_text=one["place"]) for one in UPPERS)
    expect(good).to_contain_text("registered", timeout=SOON)
    expect(good.locator("dd").last).to_have_text("2")
    expect(good).not_to_contain_text("▲")
    expect(bad).to_contain_text(f"▲ {NO}")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    page.screenshot(path=SHOTS / f"health-uppers-{width}.png")
