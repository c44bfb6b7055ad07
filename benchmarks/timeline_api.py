"""The same index behind a whole platform: what an operator's jump into the past takes, from the click to the picture.

Part of `benchmarks.timeline`. A platform is started with the volume of the big index; the channels are written into
its database as a catalogue would have left them (nothing is recorded meanwhile). One jump is what the browser does:
`POST channels/{id}/playback`, which checks rights, writes the audit record and signs a ticket; the WebSocket to the
media port; `play` at the moment asked for; the fragment that holds it, complete at the socket.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.viewer import DELTA, KEY, Viewer
from benchmarks.whole import Platform, until
from safecity.backends.database import open_database
from safecity.core.ground.channels import store as channels_store
from safecity.core.ground.channels.decide import Channel
from safecity.core.ground.devices import store as devices_store
from safecity.core.ground.devices.decide import Device, DeviceKind
from safecity.kit.ids import fresh
from safecity.ports.database import Tx

SETTINGS = """
[[record.volumes]]
name = "volume"
path = "{path}"
layout = "channel"
max_gib = 1
extent_mib = 64

[record]
retention_days = 0
floor_days = 0
"""


async def _know(data: Path, names: list[str]) -> None:
    """One recorder with all channels, none of them recorded now."""
    database = open_database(f"sqlite:///{data}/control/control.db")
    device = Device(id=fresh("dv"), kind=DeviceKind.GB28181, name="Recorder", code="34020000001180000001")

    def work(tx: Tx) -> None:
        devices_store.add(tx, device, None)
        for number, name in enumerate(names):
            code = f"3402000000131{number:07d}"
            record = {"mode": "off"}
            channels_store.add(
                tx,
                Channel(
                    id=name, device=device.id, code=code, name=f"Channel {number}", record=record, slot="media-0",
                    ordinal=number,
                ),
            )  # fmt: skip

    await database.write(work)
    await database.close()


def _iso(us: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 1_000_000)) + f".{us % 1_000_000:06d}Z"


async def _jump(http: httpx.AsyncClient, name: str, at: int) -> Viewer:
    """Open a playback and wait for the picture at this moment."""
    answer = await http.post(f"/channels/{name}/playback", json={"start": _iso(at)})
    answer.raise_for_status()
    viewer = await Viewer.open(answer.json()["url"])
    viewer.say(type="play", at=at, speed=1, direction=1)
    await viewer.until(KEY, DELTA)
    return viewer


async def _measure(
    platform: Platform, names: list[str], sought: int, first_us: int, days: int, samples: int
) -> dict[str, list[float]]:
    chance = random.Random(11)
    day_us = 86_400_000_000
    found: dict[str, list[float]] = {"seek": [], "again": [], "day": []}
    headers = {"X-CSRF-Token": platform.csrf}
    base = f"{platform.base}/api/v1"
    async with httpx.AsyncClient(base_url=base, cookies=platform.api.cookies, headers=headers, timeout=30) as http:

        def moment() -> int:
            return first_us + chance.randrange(60_000_000, days * day_us - 60_000_000)

        for number in range(samples + 10):
            began = time.perf_counter()
            viewer = await _jump(http, names[chance.randrange(sought)], moment())
            spent = (time.perf_counter() - began) * 1000
            at = moment()
            began = time.perf_counter()
            viewer.say(type="seek", at=at)
            while (message := await viewer.read()).kind != 0 or message.fields()["type"] != "position":
                pass  # what was on its way
            await viewer.until(KEY, DELTA)
            again = (time.perf_counter() - began) * 1000
            viewer.close()
            start = first_us + chance.randrange(days) * day_us
            began = time.perf_counter()
            answer = await http.get(
                f"/channels/{chance.choice(names)}/timeline",
                params={"start": _iso(start), "end": _iso(start + day_us)},
            )
            day = (time.perf_counter() - began) * 1000
            assert answer.json()["pieces"], answer.text[:500]
            if number >= 10:  # the first ones warm up what a running platform has warm
                found["seek"].append(spent)
                found["again"].append(again)
                found["day"].append(day)
    return found


def measure_api(
    volume: Path, names: list[str], sought: int, first_us: int, days: int, samples: int
) -> dict[str, list[float]]:
    """Milliseconds: `seek` (API, ticket, socket, picture), `again` within an open playback, `day` (the timeline)."""
    with tempfile.TemporaryDirectory(prefix="safecity-timeline-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        platform = Platform(data)
        try:
            platform.start().setup()
            platform.stop()
            asyncio.run(_know(data, names))
            (data / "safecity.toml").write_text(SETTINGS.format(path=volume.resolve()), "utf-8")
            platform = Platform(data)
            platform.start().sign_in()

            def there() -> Any:
                return [one for one in platform.get("/health")["volumes"] if one["name"] == "volume"] or None

            until(there, "the volume is there")
            return asyncio.run(_measure(platform, names, sought, first_us, days, samples))
        finally:
            platform.stop()
