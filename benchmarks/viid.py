"""The view library under load: objects taken in per second, and nothing lost or doubled when control dies.

    python -m benchmarks.viid [--seconds 20] [--cameras 8] [--restarts 20]

A whole platform is started. First, cameras send batches of vehicles without pictures as fast as they are answered
(`objects_per_second`, `cpu_ms_per_object` of the duty control, `batch_p95_ms`); then the same with a picture in each
(`pictures_per_second`). Last, control is killed with SIGKILL again and again while they send: a camera that is not
answered registers anew and sends the whole batch again, as the standard asks. Every object that was answered OK must
then be there (`lost`), and once (`doubled`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.whole import Platform, until
from safecity.kit.errors import InvalidError, RefusedError, UnavailableError
from safecity.protocols.gat1400.codes import basic_id, semantic_id
from safecity.protocols.gat1400.envelope import write_list
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.vehicles import Vehicle, write_vehicle
from safecity.sim.gat1400.client import Login, ViidClient

GATE = "34020200001210000001"
BATCH = 100
PICTURE_BYTES = 60_000
AGAIN_SECONDS = 0.2
EVERY_US = 5_000_000
"""A vehicle on each lane every five seconds, as in a busy street; sent as a camera sends what it kept while offline."""
LETTERS = "ABCDEFGHJK"


def picture() -> str:
    """A head of 960x540 and as many bytes as such a picture has; nobody decodes it here."""
    head = b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x02\x1c\x03\xc0\x01\x01\x11\x00"
    return base64.b64encode(head + os.urandom(PICTURE_BYTES)).decode()


@dataclass
class Sender:
    """A camera whose lane nobody else reports for; every vehicle has a plate of its own."""

    client: ViidClient
    number: int
    sent: int = 0
    sure: list[str] = field(default_factory=list)
    batches_ms: list[float] = field(default_factory=list)
    again: int = 0

    def vehicles(self, count: int, data: str = "") -> Iterator[dict[str, Any]]:
        now = time.time_ns() // 1000
        for _ in range(count):
            self.sent += 1
            code, serial = self.client.login.code, self.sent
            # Unlike every other plate within the window in more than what cameras confuse.
            plate = f"皖{LETTERS[self.number]}{serial % 100_000:05d}"
            vehicle = Vehicle(
                id=f"{semantic_id(code, 'motor_vehicle', now, serial)[:40]}{serial:08d}", device=code, tollgate=GATE,
                lane=self.number + 1, at=now - serial * EVERY_US, plate=plate,
                plate_colour="blue", plate_class="02", confidence=0.95, speed_kmh=50.0, direction="north_south",
                vehicle_class="K33", colour="white", brand="",
            )  # fmt: skip
            more: dict[str, Any] = {}
            if data:
                entry = {
                    "ImageID": basic_id(code, "image", now, serial),
                    "Type": "01",
                    "FileFormat": "Jpeg",
                    "Data": data,
                }
                more["SubImageList"] = {"SubImageInfoObject": [entry]}
            yield write_vehicle(vehicle, source="-", box=(0, 0, 1, 1), **more)

    async def batch(self, count: int, data: str = "") -> None:
        """Until it was taken in, through whatever happens to the other side."""
        body = write_list(BY_NAME["MotorVehicle"], list(self.vehicles(count, data)))
        while True:
            began = time.perf_counter()
            try:
                told = await self.client.send("MotorVehicles", body)
            except (UnavailableError, RefusedError, InvalidError):
                self.again += 1
                await asyncio.sleep(AGAIN_SECONDS)
                try:
                    await self.client.register()
                except (UnavailableError, RefusedError):
                    continue
                continue
            self.batches_ms.append((time.perf_counter() - began) * 1000)
            self.sure += [identity for identity, code in told if code == 0]
            return


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def busy(senders: list[Sender], seconds: float, count: int, data: str = "") -> int:
    """Objects answered OK within the time."""
    before, end = sum(len(one.sure) for one in senders), time.monotonic() + seconds

    async def go(one: Sender) -> None:
        while time.monotonic() < end:
            await one.batch(count, data)

    await asyncio.gather(*(go(one) for one in senders))
    return sum(len(one.sure) for one in senders) - before


async def restarts(platform: Platform, senders: list[Sender], number: int) -> None:
    """Kill control in the middle of batches, and go on when it is back."""
    killing = True

    async def go(one: Sender) -> None:
        while killing:
            await one.batch(20)

    async def kill() -> None:
        nonlocal killing
        try:
            for _ in range(number):
                goal = sum(len(one.sure) for one in senders) + 200
                while sum(len(one.sure) for one in senders) < goal:  # noqa: ASYNC110 - a process is watched
                    await asyncio.sleep(0.01)
                old = platform.pid("control")
                platform.kill("control")
                while platform.state()["duties"]["control"]["pid"] in (0, old):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            killing = False

    await asyncio.gather(kill(), *(go(one) for one in senders))


def counted(data: Path, senders: list[Sender]) -> tuple[int, int]:
    """(lost, doubled): what was answered OK and is not there, and what is there twice."""
    sure = {identity for one in senders for identity in one.sure}
    with sqlite3.connect(f"file:{data}/control/control.db?mode=ro", uri=True) as database:
        kept = [row[0] for row in database.execute("SELECT object_id FROM image_objects WHERE kind = 'MotorVehicle'")]
        filed = [row[0] for row in database.execute("SELECT reference FROM sightings")]
        (sightings,) = database.execute("SELECT sum(sightings) FROM passages").fetchone()
    lost = len(sure - set(kept)) + len(sure - set(filed))
    doubled = len(kept) - len(set(kept)) + len(filed) - len(set(filed)) + abs(sightings - len(filed))
    return lost, doubled


def ranked(values: list[float], part: float) -> float:
    return round(sorted(values)[int(len(values) * part)], 1) if values else 0.0


def run(seconds: float, cameras: int, kills: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="safecity-viid-") as folder:
        platform = Platform(Path(folder) / "data").start().setup()
        try:
            lanes = [{"number": number + 1} for number in range(cameras)]
            platform.post("/tollgates", {"name": "gate", "code": GATE, "lanes": lanes})
            port = int(platform.base.rpartition(":")[2])
            senders: list[Sender] = []
            for number in range(cameras):
                code = f"34020200001190{number:06d}"
                made = platform.post("/devices", {"kind": "gat1400", "code": code, "name": f"camera {number}"})
                login = Login(code=code, password=made["registration"]["password"], host="127.0.0.1", port=port)
                senders.append(Sender(ViidClient(login), number))
            return asyncio.run(measure(platform, senders, seconds, kills))
        finally:
            platform.stop()


async def measure(platform: Platform, senders: list[Sender], seconds: float, kills: int) -> dict[str, Any]:
    for one in senders:
        await one.client.register()
    began, cpu = time.monotonic(), cpu_seconds(platform.pid("control"))
    taken = await busy(senders, seconds, BATCH)
    spent, cpu = time.monotonic() - began, cpu_seconds(platform.pid("control")) - cpu
    times = [each for one in senders for each in one.batches_ms]
    began = time.monotonic()
    shown = await busy(senders, seconds / 2, 10, picture())
    shown_spent = time.monotonic() - began
    await restarts(platform, senders, kills)
    for one in senders:
        await one.client.close()
    until(lambda: platform.api.get("/session").status_code == 200, "control is back")
    lost, doubled = counted(platform.data, senders)
    return {
        "objects_per_second": round(taken / spent),
        "cpu_ms_per_object": round(cpu * 1000 / max(1, taken), 3),
        "batch_p95_ms": ranked(times, 0.95),
        "pictures_per_second": round(shown / shown_spent),
        "objects": sum(len(one.sure) for one in senders),
        "restarts": kills,
        "sent_again": sum(one.again for one in senders),
        "lost": lost,
        "doubled": doubled,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--restarts", type=int, default=20)
    options = parser.parse_args()
    print(json.dumps(run(options.seconds, min(options.cameras, len(LETTERS)), options.restarts)))


if __name__ == "__main__":
    main()
