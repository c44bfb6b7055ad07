"""Two lanes before one camera: the zone of each is drawn on its picture, and who nobody could read is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT

SHOTS = ROOT / "output" / "screenshots"
SOON = 20_000
RIGHT = [[0.5, 0.95], [0.8, 0.95], [0.6, 0.4], [0.5, 0.4]]


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    SHOTS.mkdir(parents=True, exist_ok=True)
    return bare


def test_a_zone_is_drawn_beside_the_other_lanes_and_one_that_crosses_itself_cannot_be_kept(
    city: Platform, open_page: Callable[..., Page]
) -> None:
    city.post("/devices", {"kind": "rtsp", "url": "rtsp://192.0.2.1/live", "name": "Bridge camera"})
    (channel,) = [one["id"] for one in city.get("/channels", limit=50)["items"]]
    shared = {"channel": channel, "read_plates": True}
    lanes = [{"number": 1, **shared}, {"number": 2, **shared, "zone": RIGHT}]
    gate = city.post("/tollgates", {"name": "Bridge", "lanes": lanes})
    page = open_page("/tollgates")
    page.get_by_role("table").get_by_text("Bridge", exact=True).click(timeout=SOON)
    unread = page.get_by_role("checkbox", name="Also without plate").first
    expect(unread).to_be_disabled(timeout=SOON)
    page.get_by_role("button", name="Draw zone").click()
    drawing = page.get_by_role("dialog").filter(has_text="Zone of lane 1")
    canvas = drawing.get_by_role("img", name="Picture of the camera").last
    expect(canvas).to_be_visible(timeout=SOON)
    expect(canvas.locator("text")).to_have_text("2")

    def click(*points: tuple[float, float]) -> None:
        for x, y in points:
            box = canvas.bounding_box()
            assert box is not None
            canvas.click(position={"x": x * box["width"], "y": y * box["height"]})

    keep = drawing.get_by_role("button", name="End it")
    click((0.2, 0.9), (0.48, 0.4), (0.48, 0.9), (0.4, 0.4))
    expect(drawing.get_by_role("alert")).to_be_visible()
    expect(keep).to_be_disabled()
    for _ in range(3):
        drawing.get_by_role("button", name="Last corner back").click()
    click((0.48, 0.9), (0.48, 0.4), (0.4, 0.4))
    page.screenshot(path=SHOTS / "tollgates-zone.png")
    keep.click()
    expect(drawing).to_be_hidden()
    unread.check()
    page.screenshot(path=SHOTS / "tollgates-lanes.png")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=SOON)
    left, right = city.get(f"/tollgates/{gate['id']}")["lanes"]
    assert [tuple(round(one, 1) for one in corner) for corner in left["zone"]] == [
        (0.2, 0.9), (0.5, 0.9), (0.5, 0.4), (0.4, 0.4),
    ]  # fmt: skip
    assert (left["unread"], right["unread"], right["zone"]) == (True, False, RIGHT)
