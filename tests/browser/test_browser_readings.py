"""What our own reader doubts is shown to whoever decides, with what it could also be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import Thread

import pytest
from benchmarks.whole import Platform
from playwright.sync_api import Page, expect

from safecity.backends.calls import UnixCalls
from safecity.model.facts.vision_calls import NetworkUsed, SpeedEstimated, VehicleRead

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def file_reading(platform: Platform, gate: str) -> None:
    """As a vision slot does; in a thread of its own, for the browser has this one's loop."""
    now = time.time_ns() // 1000
    reading = VehicleRead(
        id=f"si_{now}", channel="ch_x", tollgate=gate, lane=1, at=now, plate="皖B77345", confidence=0.31, doubtful=True,
        threshold=0.4, signs=(0.9,) * 7, others=("皖B77846", "皖B77348"), country="cn", plate_colour="blue",
        plate_kind="cn_blue", corners=((0.1, 0.2),) * 4, sights=9, first=now, last=now,
        networks=(NetworkUsed("reader", "ab" * 32),), body=(0.1, 0.1, 0.4, 0.6), body_from="movement", colour="red",
        colour_confidence=0.8, speed=SpeedEstimated(47.2, 3.1, 9, 22.4),
    )  # fmt: skip

    async def tell() -> None:
        calls = UnixCalls(platform.run_dir() / "calls")
        await calls.call("control", reading, timeout=10)
        await calls.close()

    telling = Thread(target=lambda: asyncio.run(tell()))
    telling.start()
    telling.join()


def test_a_doubtful_reading_says_so_and_what_it_could_also_be(city: Platform, open_page: Callable[..., Page]) -> None:
    gate = city.post("/tollgates", {"name": "Doubtful", "lanes": [{"number": 1}]})
    file_reading(city, gate["id"])
    page = open_page("/tollgates?tab=passages")
    page.get_by_role("button", name="Look", exact=True).click(timeout=20_000)
    page.get_by_text("皖B77345").first.click(timeout=20_000)
    expect(page.get_by_text("doubtful reading")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("皖B77846, 皖B77348")).to_be_visible()
    expect(page.get_by_text("Vehicle red 80 %")).to_be_visible()
    expect(page.get_by_text("about 47 ± 7 km/h (estimate)")).to_be_visible()
