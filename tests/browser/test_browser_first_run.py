"""The whole first run in a real browser, from the printed link to a wall with one's own camera."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, choose, wait_for

from safecity.sim.yard import Yard

SHOTS = ROOT / "output" / "screenshots" / "first-run"
CODE = "34020000001320009911"


@pytest.fixture(scope="module")
def city(newborn: Platform) -> Platform:
    return newborn


def test_the_printed_link_leads_through_every_question_to_a_wall_with_ones_own_camera(
    city: Platform, open_page: Callable[..., Page], yard: Yard, tmp_path: Path
) -> None:
    token = (city.run_dir() / "setup-link").read_text().split("setup=", 1)[1].strip()
    page = open_page(f"/?setup={token}")
    administrator(page)
    for number, step in enumerate((language, address, ports, platform, clock)):
        step(page, city)
        onwards(page, number, "Next")
    volumes(page, tmp_path)
    onwards(page, 5, "Next")
    camera(page, city, yard)
    onwards(page, 6, "Next")
    page.get_by_role("button", name="Remove the demo city").click()
    expect(page.get_by_text("There is no demo city.")).to_be_visible(timeout=30_000)
    onwards(page, 7, "Finish")
    page.wait_for_url("**/live")

    # Nothing simulated is left, and the own camera is what the wall shows.
    [channel] = until(lambda: city.channels(), "the channel of the camera")
    page.locator(f"#tree-{channel['id']}").dblclick()
    wait_for(page, "(channel) => window.__safecity?.player(channel)?.phase === 'running'", channel["id"])
    assert not channel["simulated"]
    settings = city.get("/settings")
    assert (settings["wizard_done"], settings["demo"], settings["zone"]) == (True, False, "Asia/Urumqi")


def onwards(page: Page, number: int, button: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{number}.png")
    page.get_by_role("button", name=button, exact=True).click()


def step_is(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible(timeout=20_000)


def administrator(page: Page) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill("too short")
    page.get_by_label("Password again").fill("something else")
    page.get_by_role("button", name="Create administrator").click()
    expect(page.get_by_text("At least 12 characters", exact=True)).to_be_visible()
    expect(page.get_by_text("The two passwords differ")).to_be_visible()
    for label in ("Password", "Password again"):
        page.get_by_label(label, exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Create administrator").click()


def language(page: Page, city: Platform) -> None:
    step_is(page, "Language")
    city.sign_in()
    page.evaluate("() => { window.__same = true }")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="初次设置")).to_be_visible()
    page.get_by_role("button", name="English").click()
    step_is(page, "Language")
    assert page.evaluate("() => window.__same"), "another language needs no new page"


def address(page: Page, _: Platform) -> None:
    step_is(page, "Address")
    loopback = page.get_by_role("radio", name="127.0.0.1")
    expect(loopback).to_have_attribute("aria-checked", "true")
    expect(page.get_by_text("Reached: name, route and ports are right.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Only programs on this machine reach this address")).to_be_visible()
    # An address that is not ours is said to be none, whatever it is.
    page.get_by_label("Another address").fill("192.0.2.77")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("status")).to_contain_text("▲", timeout=20_000)
    loopback.click()
    expect(page.get_by_text("Reached: name, route and ports are right.")).to_be_visible(timeout=20_000)


def ports(page: Page, city: Platform) -> None:
    step_is(page, "Ports")
    expect(page.get_by_text("✓ answers").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("▲")).to_have_count(0)
    for name in ("http", "media", "sip-udp"):
        expect(page.get_by_text(f"{city.state()['ports'][name]} TCP")).to_be_visible()


def platform(page: Page, city: Platform) -> None:
    step_is(page, "Platform ID")
    code, domain = page.get_by_label("Platform ID (20 digits)"), page.get_by_label("SIP domain")
    expect(code).to_have_value("34020000002000000001")
    choose(page, "Province", "Zhejiang")
    choose(page, "City", "Hangzhou")
    expect(code).to_have_value("33010000002000000001")
    expect(domain).to_have_value("3301000000")
    page.get_by_label("Area code").fill("340")
    expect(page.get_by_text("2, 4 or 6 digits")).to_be_visible()
    page.get_by_label("Area code").fill("340203")
    expect(code).to_have_value("34020300002000000001")
    # Back to where the cameras of this test believe they are.
    page.get_by_label("Area code").fill("3402")
    expect(code).to_have_value("34020000002000000001")


def clock(page: Page, _: Platform) -> None:
    step_is(page, "Clock")
    expect(page.get_by_text("This is our time now")).to_contain_text("20")
    choose(page, "Clock of devices", "NTP server")
    expect(page.get_by_role("textbox", name="NTP server")).to_be_visible()
    choose(page, "Clock of devices", "Clock of this machine")
    choose(page, "Time zone", "Asia/Urumqi")


def volumes(page: Page, folder: Path) -> None:
    step_is(page, "Volumes")
    expect(page.get_by_text("free of")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Add volume").click()
    page.get_by_label("Folder").last.fill("/proc/no-place-for-footage")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=20_000)
    step_is(page, "Volumes")
    page.get_by_label("Folder").last.fill(str(folder / "footage"))


def camera(page: Page, city: Platform, yard: Yard) -> None:
    step_is(page, "First camera")
    page.get_by_text("Dahua", exact=True).click()
    expect(page.get_by_text("Setup › Network › Platform Access › GB28181")).to_be_visible()
    page.get_by_text("Hikvision", exact=True).click()
    expect(page.get_by_text("Platform Access Mode: 28181")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Own gate")
    page.get_by_label("Device code (20 digits)").fill(CODE)
    page.get_by_role("button", name="Save").click()
    # In the words of that maker, and nothing left out.
    expect(page.get_by_text("SIP user name and device ID")).to_be_visible(timeout=20_000)
    facts = page.locator("dl.credential")
    expect(facts).to_contain_text("34020000002000000001")
    expect(facts).to_contain_text(str(city.state()["ports"]["sip-udp"]))
    password = facts.locator("dt", has_text="Password").locator("xpath=following-sibling::dd[1]").inner_text()
    yard.camera(code=CODE, password=password, port=city.state()["ports"]["sip-udp"])
    expect(page.get_by_text("The device has registered.")).to_be_visible(timeout=30_000)
    picture = page.locator(".first-picture img")
    expect(picture).to_be_visible(timeout=40_000)
    wait_for(page, "() => document.querySelector('.first-picture img')?.naturalWidth > 100")
