"""A library below, from the page of its device: where it is, what is subscribed to there, and the end of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect

from safecity.sim.gat1400.client import Login
from safecity.sim.gat1400.library import LowerLibrary
from safecity.sim.yard import Yard

AXE = Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
CODE, GATE = "34020300005030000077", "34020300001210000077"


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


def test_an_administrator_subscribes_at_a_library_below_and_takes_it_back(
    city: Platform, open_page: Callable[..., Page], yard: Yard
) -> None:
    made = city.post("/devices", {"kind": "gat1400", "code": CODE, "name": "District library"})
    login = Login(
        code=CODE, password=made["registration"]["password"], host="127.0.0.1", port=city.state()["ports"]["http"]
    )
    library = LowerLibrary(login)
    yard.run(library.start())
    try:
        page = open_page(f"/devices/{made['id']}")
        address = page.get_by_label("Its own address")
        address.fill("127.0.0.1/VIID")
        address.blur()
        expect(page.get_by_text("http(s)://host[:port], without a path")).to_be_visible()
        address.fill(f"http://127.0.0.1:{library.door.port}")
        page.locator("form", has=address).get_by_role("button", name="Save").click()
        expect(page.get_by_text("Nothing yet.")).to_be_visible(timeout=20_000)

        page.get_by_label("Checkpoints", exact=True).check()
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_text("in force")).to_be_visible(timeout=30_000)
        (wish,) = yard.change(lambda: list(library.memory.subscriptions.values()))
        assert wish.details == {7, 13}
        gate = {"TollgateID": GATE, "Name": "North gate", "Longitude": 118.3, "Latitude": 31.3}
        yard.change(lambda: library.tell("Tollgate", gate, tollgate=GATE))
        page.reload()  # rather than wait for the page to look again
        expect(page.get_by_role("button", name="Add North gate")).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Add North gate").click()
        expect(page.get_by_text("added", exact=True)).to_be_visible(timeout=20_000)
        yard.change(lambda: library.passes("皖A12B45", tollgate=GATE))
        expect(page.get_by_text("2 received")).to_be_visible(timeout=30_000)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("() => axe.run('.library-panel', { resultTypes: ['violations'] })")["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []

        page.get_by_role("button", name="Withdraw").click()
        expect(page.get_by_text("cancelled", exact=True)).to_be_visible(timeout=30_000)
        until(lambda: yard.change(lambda: library.memory.subscriptions) == {}, "it is cancelled there")
    finally:
        yard.run(library.stop())
