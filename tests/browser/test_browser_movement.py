"""Somebody asks when anything moved at this gate: draws a rectangle, gets moments, goes from one to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, SECOND, SHOWN, add_device, footage_of, probe, wait_for

from safecity.kit.clock import rfc3339
from safecity.sim.encode import VideoSpec
from safecity.sim.yard import Yard

pytestmark = pytest.mark.pictures
SHOTS = ROOT / "output" / "screenshots"
STREET = VideoSpec(width=320, height=180, fps=10, kbps=600, gop_seconds=1.0)
ROAD = (0.05, 0.4, 0.95, 0.88)
SKY = (0.55, 0.03, 0.97, 0.24)


@dataclass(frozen=True)
class Gate:
    """A camera before a street and some of its footage."""

    channel: str
    start: int
    end: int


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@pytest.fixture(scope="module")
def gate(city: Platform, yard: Yard) -> Gate:
    pytest.importorskip("av", reason="recordings are decoded with the extra safecity[av]")
    _, [channel] = add_device(city, yard, 1, video=STREET)
    return Gate(*footage_of(city, channel, 40))


def open_search(open_page: Callable[..., Page], gate: Gate, **how: str) -> Page:
    page = open_page(f"/playback?channels={gate.channel}&at={gate.start + 20 * SECOND}", **how)
    wait_for(page, SHOWN, [gate.channel, gate.start + 20 * SECOND])
    page.keyboard.press("k")
    page.get_by_role("button", name="画面变化" if how else "Movement").click()
    return page


def draw(page: Page, region: tuple[float, float, float, float]) -> None:
    """With the mouse, from corner to corner."""
    box = page.locator(".movement-picture").bounding_box()
    assert box is not None
    left, top, right, bottom = region
    page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * (left + right) * box["width"], box["y"] + 0.6 * box["height"] * bottom, steps=3)
    page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=3)
    page.mouse.up()


def test_movement_is_found_shown_and_gone_through(
    city: Platform, open_page: Callable[..., Page], gate: Gate, tmp_path: Path
) -> None:
    page = open_search(open_page, gate)
    expect(page.get_by_role("button", name="Search", exact=True)).to_be_disabled()
    draw(page, ROAD)
    expect(page.locator(".movement-region")).to_have_count(1)
    page.get_by_label("Sensitivity").select_option("high")
    page.get_by_role("button", name="Search", exact=True).click()
    finds = page.locator(".movement-finds button")
    expect(finds.first).to_be_visible(timeout=60_000)
    status = page.locator(".movement [role=status]")
    expect(status).to_contain_text("Found: ", timeout=60_000)
    expect(status).to_contain_text("key frames looked at")
    expect(status).to_contain_text("lie between two")
    expect(page.locator(".movement-thumb").first.locator("img, video")).to_be_visible(timeout=30_000)
    peak = int(finds.first.get_attribute("data-peak") or 0)
    finds.first.click()
    wait_for(page, SHOWN, [gate.channel, peak])
    assert abs(probe(page, gate.channel, "playback")["wall"] - peak) < 2 * SECOND
    expect(finds.first).to_have_attribute("aria-current", "true")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "movement.png")
    page.keyboard.press("ArrowLeft")
    span = {"start": rfc3339(gate.start - 600 * SECOND), "end": rfc3339(gate.end)}
    recorded = city.get(f"/channels/{gate.channel}/timeline", **span)["pieces"][0]["start_us"]
    wait_for(page, SHOWN, [gate.channel, max(recorded, peak - 10 * SECOND)])
    page.keyboard.press("n")
    wait_for(page, SHOWN, [gate.channel, peak])
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as table").click()
    saved.value.save_as(tmp_path / "movement.csv")
    lines = (tmp_path / "movement.csv").read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("start,end,peak,")
    assert len(lines) == 1 + finds.count()


def test_who_ticks_exact_asks_for_an_exact_search_and_is_shown_what_it_found(
    open_page: Callable[..., Page], gate: Gate
) -> None:
    """Cars follow one another here, so that it is one long find; `test_vision_movement_precise.py` has short ones."""
    page = open_search(open_page, gate)
    draw(page, ROAD)
    page.get_by_role("checkbox", name="Exact").check()
    with page.expect_response("**/movement") as said:
        page.get_by_role("button", name="Search", exact=True).click()
    assert said.value.request.post_data_json["precise"] is True
    expect(page.locator(".movement [role=status]")).to_contain_text("Found: ", timeout=60_000)
    expect(page.locator(".movement-finds button").first).to_be_visible()


def test_where_nothing_moved_it_says_so_and_what_was_looked_at(open_page: Callable[..., Page], gate: Gate) -> None:
    page = open_search(open_page, gate)
    draw(page, SKY)
    page.get_by_role("button", name="Search", exact=True).click()
    status = page.locator(".movement [role=status]")
    expect(status).to_contain_text("Nothing moved there.", timeout=60_000)
    expect(status).to_contain_text("key frames looked at")
    expect(status).to_contain_text("Not recorded")
    expect(page.locator(".movement-finds")).to_have_count(0)


def test_it_is_done_by_keyboard_alone_and_in_chinese(open_page: Callable[..., Page], gate: Gate) -> None:
    page = open_search(open_page, gate, language="zh")
    page.get_by_role("button", name="居中").focus()
    page.keyboard.press("Enter")
    region = page.get_by_role("button", name="矩形 1")
    region.focus()
    before = region.bounding_box()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    after = region.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] > before["y"]
    assert after["width"] > before["width"]
    page.get_by_role("button", name="检索", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".movement [role=status]")).to_contain_text("关键帧", timeout=60_000)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
        page.screenshot(path=SHOTS / f"movement.zh.{width}.png")
    region.focus()
    page.keyboard.press("Delete")
    expect(page.locator(".movement-region")).to_have_count(0)


def test_without_analysis_the_page_says_so(open_page: Callable[..., Page], gate: Gate, city: Platform) -> None:
    page = open_search(open_page, gate)
    problem = '{"code": "vision_off", "status": 503, "title": "x", "detail": "Analysis is switched off."}'
    page.route("**/movement", lambda route: route.fulfill(status=503, body=problem, content_type="application/json"))
    draw(page, ROAD)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".movement").get_by_text("Analysis is switched off.").first).to_be_visible()
