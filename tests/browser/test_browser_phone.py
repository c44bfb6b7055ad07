"""An officer's phone: on duty by consent, seen on duty alone, through a tunnel without a network, and for help."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import ROOT, sign_in

from safecity.kit.clock import rfc3339

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
"""Milliseconds; a machine may be busy."""
THUMB = 48
HERE = (118.37, 31.33)


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@pytest.fixture
def phone(open_page: Callable[..., Page], city: Platform) -> Callable[..., Page]:
    """The page in the hand of an officer of their own, standing somewhere."""

    def show(name: str, **more: Any) -> Page:
        with closing(sign_in(city, name, "operator")) as session:
            page = open_page("/phone", width=390, height=844, cookies=dict(session.cookies), **more)
        page.context.grant_permissions(["geolocation"], origin=city.base_at("127.0.0.1"))
        stand(page, *HERE)
        return page

    return show


def stand(page: Page, longitude: float, latitude: float) -> None:
    page.context.set_geolocation({"longitude": longitude, "latitude": latitude})


def begin(page: Page) -> None:
    page.get_by_role("checkbox").check(timeout=SOON)
    page.get_by_role("button", name="Go on duty").click()
    expect(page.get_by_text("Position sent")).to_be_visible(timeout=SOON)


def device(city: Platform, name: str) -> dict[str, Any]:
    (found,) = [one for one in city.get("/devices", kind="http", limit=500)["items"] if one["name"] == name]
    return found


def steps(city: Platform, name: str) -> list[tuple[float, str]]:
    """Where the phone was, as the platform remembers it."""
    now = time.time_ns() // 1000
    day = {"purpose": "traffic", "start": rfc3339(now - 3_600 * 10**6), "end": rfc3339(now + 3_600 * 10**6)}
    answer = city.get(f"/devices/{device(city, name)['id']}/way", **day)
    return [(round(one["longitude"], 4), one["at"]) for one in answer["steps"]]


def test_an_officer_is_seen_from_consent_to_the_last_key_and_what_a_tunnel_hides_comes_afterwards(
    phone: Callable[..., Page], city: Platform
) -> None:
    page = phone("officer")
    key = page.get_by_role("button", name="Go on duty")
    expect(key).to_be_disabled(timeout=SOON)
    begin(page)
    until(lambda: device(city, "officer")["position"], "the position is on the map")
    assert device(city, "officer")["position"]["longitude"] == pytest.approx(HERE[0])

    page.wait_for_function("() => caches.match('/phone').then(Boolean)")
    page.context.set_offline(True)
    for n in range(1, 4):
        stand(page, HERE[0] + n / 1000, HERE[1])
        page.wait_for_function(f"() => JSON.parse(localStorage.getItem('safecity.phone')).waiting.length >= {n}")
    expect(page.get_by_text("wait for the network")).to_be_visible()
    page.reload()
    expect(page.get_by_text("wait for the network")).to_be_visible(timeout=SOON)
    page.context.set_offline(False)
    page.wait_for_function(
        "() => JSON.parse(localStorage.getItem('safecity.phone')).waiting.length === 0", timeout=2 * SOON
    )
    until(lambda: len({x for x, _ in steps(city, "officer")}) >= 4 or None, "all of the tunnel is told")
    times = [at for _, at in steps(city, "officer")]
    assert len(set(times)) == len(times), "nothing is there twice"

    page.get_by_role("button", name="End duty now").click()
    until(lambda: not device(city, "officer")["enabled"] or None, "the platform heard of the end")
    expect(page.get_by_text("You are off duty")).to_be_visible(timeout=SOON)
    assert '"token":""' in page.evaluate("() => localStorage.getItem('safecity.phone')")


def test_two_presses_call_for_help_and_one_does_not(phone: Callable[..., Page], city: Platform) -> None:
    page = phone("caller")
    begin(page)
    page.get_by_role("button", name="SOS").click()
    again = page.get_by_role("button", name="Press again to call for help")
    expect(again).to_be_visible()
    assert [one for one in city.get("/alarms")["items"] if one["name"] == "caller"] == []
    again.click()
    expect(page.get_by_text("Help was called")).to_be_visible(timeout=SOON)
    (alarm,) = until(lambda: [one for one in city.get("/alarms")["items"] if one["name"] == "caller"], "the alarm")
    assert (alarm["method"], alarm["type"], alarm["priority"]) == ("phone", "sos", 1)
    assert alarm["longitude"] == pytest.approx(HERE[0])
    page.get_by_role("region", name="Alarms").get_by_role("button", name="Take on").first.click()
    until(lambda: city.get(f"/alarms/{alarm['id']}")["acknowledged_by"] == "caller" or None, "it is taken on")


@pytest.mark.parametrize(("language", "look"), [("zh", "light"), ("en", "dark")])
def test_an_incident_near_is_confirmed_with_a_thumb(
    phone: Callable[..., Page], city: Platform, language: str, look: str
) -> None:
    page = phone(f"thumb-{language}", language=language)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    common = {"state": "open", "latitude": HERE[1], "vehicles": 2, "began_at": now, "changed_at": now, "why": "",
              "decided_by": "", "area": None, "judgeable": True, "kind": "accident"}  # fmt: skip
    far, near = ({**common, "id": f"ti_{n}", "longitude": HERE[0] + n / 100, "area_name": f"place {n}"} for n in (3, 1))

    def answer(route: Route) -> None:
        route.fulfill(json=near if route.request.method == "POST" else {"items": [far, near], "least": 1})

    page.context.route("**/api/v1/traffic/incidents**", answer)
    if look == "light":
        page.get_by_role("button", name="明暗切换").click(timeout=SOON)
    page.get_by_role("checkbox").check(timeout=SOON)
    page.get_by_role("button", name="开始值勤" if language == "zh" else "Go on duty").click()
    incidents = page.get_by_role("region", name="附近事件" if language == "zh" else "Incidents near you")
    expect(incidents.get_by_role("listitem").first).to_contain_text("place 1", timeout=SOON)
    expect(incidents.get_by_role("listitem").first).to_contain_text("950", timeout=SOON)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"phone-{language}-{look}.png", full_page=True)
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= THUMB, button.inner_text()
    with page.expect_request(lambda asked: asked.url.endswith("/traffic/incidents/ti_1/verdict")) as asked:
        incidents.get_by_role("button", name="确认" if language == "zh" else "Confirm").first.click()
    assert asked.value.post_data_json == {"verdict": "confirmed", "note": ""}
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_it_can_be_installed(phone: Callable[..., Page], city: Platform) -> None:
    page = phone("installer")
    page.wait_for_function("() => navigator.serviceWorker?.controller || navigator.serviceWorker.ready.then(Boolean)")
    manifest = page.evaluate("() => fetch(document.querySelector('link[rel=manifest]').href).then((a) => a.json())")
    assert (manifest["start_url"], manifest["display"]) == ("/phone", "standalone")
