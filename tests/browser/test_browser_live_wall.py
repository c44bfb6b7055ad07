"""The wall under the hands of an operator: dragged together, kept as a view, toured, enlarged, photographed, heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import probe, running, wait_for

from safecity.sim.scene.strip import read_clock

pytestmark = pytest.mark.pictures

PLAYS = "(channel) => (window.__safecity?.player(channel)?.phase) === 'running'"
QUALITY = "([channel, quality]) => window.__safecity?.player(channel)?.quality === quality"


@pytest.fixture(scope="module")
def channels(city: Platform) -> list[str]:
    """Running channels that every browser plays, the one that can be steered first."""
    dome = running(city, ptz=True, simulated=True)
    streams = city.get("/health")["streams"]
    plays = {one["channel"] for one in streams if one["quality"] == "main" and one["codec"] == "h264"}
    # Those of the demo city: cameras that other files brought may be dying just now.
    city_own = [c["id"] for c in city.channels() if c["simulated"] and c["state"] == "running"]
    return [dome, *(channel for channel in city_own if channel in plays - {dome})]


def tiles(page: Page) -> list[str]:
    return [tile.get_attribute("data-channel") or "" for tile in page.locator(".tile").all()]


def layout(page: Page, size: int) -> None:
    """0, 1, 2, 3: one, four, nine, sixteen tiles."""
    page.get_by_role("toolbar", name="Layout").get_by_role("button").nth(size).click()


def test_channels_are_dragged_onto_the_wall_and_kept_as_a_view(
    open_page: Callable[..., Page], channels: list[str]
) -> None:
    one, two, *_ = channels
    page = open_page("/live")
    for channel, place in ((one, 3), (two, 0)):
        page.locator(f"#tree-{channel}").drag_to(page.locator(f'.tile[data-place="{place}"]'))
        wait_for(page, PLAYS, channel)
    assert tiles(page) == [two, "", "", one]
    # What is shown already changes places with what is there.
    page.locator(f"#tree-{one}").drag_to(page.locator('.tile[data-place="0"]'))
    wait_for(page, "(channel) => document.querySelector('.tile').dataset.channel === channel", one)
    assert tiles(page) == [one, "", "", two]

    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save this wall as view").click()
    page.get_by_role("textbox", name="Name of the view").fill("Night shift")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Night shift")).to_be_visible()
    page.get_by_role("button", name="Close all").click()
    layout(page, 0)
    page.reload()
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Night shift").click()
    expect(page.locator(".tile")).to_have_count(4)
    assert tiles(page) == [one, "", "", two]
    for channel in (one, two):
        wait_for(page, PLAYS, channel)


def test_sixteen_tiles_play_sub_streams_and_one_tile_plays_the_main_one(
    city: Platform, open_page: Callable[..., Page], channels: list[str]
) -> None:
    with_sub = [c["id"] for c in city.channels() if c["id"] in channels and "sub" in c["qualities"]]
    page = open_page(f"/live?size=16&channels={','.join(channels)}", width=1920, height=1080)
    expect(page.locator(".tile")).to_have_count(16)
    for channel in channels:
        wait_for(page, PLAYS, channel)
    assert {probe(page, channel)["quality"] for channel in with_sub} == {"sub"}
    outside = page.evaluate("() => document.documentElement.scrollHeight - innerHeight")
    assert outside <= 0, "sixteen tiles fit the screen"
    page.locator(f'.tile[data-channel="{with_sub[0]}"]').click()
    for wanted, size in (("main", "1"), ("sub", "16")):
        page.goto(f"{city.base}/live?size={size}&channels={with_sub[0]}")
        wait_for(page, PLAYS, with_sub[0])
        wait_for(page, QUALITY, [with_sub[0], wanted])
    # The tile grows under a running player, and its stream with it.
    layout(page, 0)
    wait_for(page, QUALITY, [with_sub[0], "main"])


def test_a_tour_turns_its_pages_until_it_is_stopped(open_page: Callable[..., Page], channels: list[str]) -> None:
    one, two = channels[:2]
    page = open_page(f"/live?size=4&channels={one},{two}")
    wait_for(page, PLAYS, one)
    page.get_by_role("button", name="Tours").click()
    page.get_by_role("menuitem", name="New tour from these channels").click()
    page.get_by_role("textbox", name="Name").fill("Gates")
    page.get_by_label("Seconds per page").fill("3")
    page.get_by_role("button", name="Save", exact=True).click()
    layout(page, 0)
    page.get_by_role("button", name="Tours").click()
    page.get_by_role("menuitem", name="Gates").hover()
    page.get_by_role("menuitem", name="Start tour", exact=True).click()
    expect(page.get_by_text("Tour “Gates”, page 1 of 2")).to_be_visible()
    for channel in (two, one):
        wait_for(page, "(channel) => document.querySelector('.tile').dataset.channel === channel", channel)
        wait_for(page, PLAYS, channel)
    page.keyboard.press("t")
    expect(page.get_by_text("Tour “Gates”")).to_have_count(0)
    [stays] = tiles(page)
    page.wait_for_timeout(3500)
    assert tiles(page) == [stays]


def test_a_picture_is_enlarged_moved_and_photographed(
    open_page: Callable[..., Page], channels: list[str], tmp_path: Path
) -> None:
    channel = channels[1]
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    video = page.locator(f'video[data-channel="{channel}"]')
    box = page.locator(".tile-picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    for _ in range(4):
        page.mouse.wheel(0, -100)
    whole = page.get_by_title("Whole picture")
    expect(whole).to_have_text("Digital zoom 2.4×")
    enlarged = video.evaluate("(video) => video.style.transform")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5, steps=5)
    page.mouse.up()
    moved = video.evaluate("(video) => video.style.transform")
    assert "scale(2.44" in enlarged
    assert moved != enlarged, "dragging moves the enlarged picture"
    whole.click()
    expect(whole).to_have_count(0)
    assert video.evaluate("(video) => video.style.transform") == ""

    with page.expect_download() as download:
        page.keyboard.press("s")
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.suffix == ".png"
    picture = cv2.imdecode(np.fromfile(saved, np.uint8), cv2.IMREAD_COLOR)
    size = video.evaluate("(video) => [video.videoHeight, video.videoWidth]")
    assert list(picture.shape[:2]) == size
    at = read_clock(picture[..., ::-1])
    assert at is not None, "the picture is whole: its own clock can be read"
    assert abs(time.time() - at / 1e6) < 15


def test_one_tile_is_heard_at_a_time(city: Platform, open_page: Callable[..., Page]) -> None:
    def speaking() -> list[str] | None:
        found = [s["channel"] for s in city.get("/health")["streams"] if s["audio"] and s["quality"] == "main"]
        return found[:2] if len(found) >= 2 else None

    one, two = until(speaking, "two cameras with sound run")
    page = open_page(f"/live?size=4&channels={one},{two}", width=1920, height=1080)
    buttons = []
    for channel in (one, two):
        wait_for(page, PLAYS, channel)
        tile = page.locator(f'.tile[data-channel="{channel}"]')
        tile.hover()
        tile.get_by_label("More", exact=True).click()
        page.get_by_role("menuitem", name="Main", exact=True).click()
        wait_for(page, QUALITY, [channel, "main"])
        buttons.append(
            tile.get_by_role("button", name="Sound", exact=True).or_(tile.get_by_role("button", name="Mute"))
        )
    first, second = buttons
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(first).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("m")
    expect(second).to_have_attribute("aria-pressed", "false")


def test_what_is_recorded_by_hand_can_be_ended_by_hand(
    city: Platform, open_page: Callable[..., Page], channels: list[str]
) -> None:
    channel = channels[-1]
    answer = city.api.patch(f"/channels/{channel}", json={"record": {"mode": "off", "post_roll_seconds": 0}})
    assert answer.status_code == 200, answer.text
    page = open_page(f"/live?size=1&channels={channel}")
    wait_for(page, PLAYS, channel)
    tile = page.locator(".tile")
    expect(tile.get_by_title("Recording", exact=True)).to_have_count(0, timeout=20_000)
    for item, count in (("Record now", 1), ("Stop recording", 0)):
        tile.hover()
        tile.get_by_label("More", exact=True).click()
        page.get_by_role("menuitem", name=item).click()
        if count:
            expect(tile.get_by_title("Recording", exact=True)).to_have_count(count, timeout=20_000)
    until(lambda: city.get(f"/channels/{channel}")["recording"] is False or None, "it ends after the post-roll")
    city.api.patch(f"/channels/{channel}", json={"record": {"mode": "continuous", "post_roll_seconds": 30}})
