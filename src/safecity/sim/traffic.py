"""The vehicles of the demo city: a dozen terminals (JT/T 808) that drive through it, three of which creep. The first is
a bus with two cameras (JT/T 1078)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.terminal import Identity
from safecity.sim import town
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.city import AREA
from safecity.sim.encode import VideoSpec
from safecity.sim.jt808.cameras import Cameras
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec
from safecity.sim.manifest import Manifest, ManifestDevice

VEHICLES: Final = 12
CREEPING: Final = 3
BUS: Final = 0
"""Number of the bus."""
_BUS_CAMERAS: Final = {1: "driver", 2: "front"}
_BUS_VIDEO: Final = VideoSpec(width=480, height=270, fps=10, kbps=350)
REPORT_SECONDS: Final = 10.0
_PHONE: Final = 13_800_000_000


def phone_of(number: int) -> str:
    """In a range of the demo's own."""
    return str(_PHONE + number)


def plate_of(number: int) -> str:
    """What the vehicle is called by."""
    return f"皖BD{1001 + 37 * number}"


def add_vehicles(manifest: Manifest) -> bool:
    """Those that the manifest lacks. Whether any."""
    known = {each.code for each in manifest.devices if each.kind == "jt808"}
    missing = [number for number in range(VEHICLES) if phone_of(number) not in known]
    for number in missing:
        plate = plate_of(number)
        manifest.devices.append(
            ManifestDevice(
                kind="jt808", name=plate, name_en=plate, area=AREA, password="", code=phone_of(number), transport="tcp"
            )
        )  # fmt: skip
    return bool(missing)


def terminals(host: str, port: int, painter: Executor) -> list[SimTerminal]:
    """Not started. `painter` draws what the bus sees, while somebody looks."""
    return [_terminal(number, host, port, painter) for number in range(VEHICLES)]


def _terminal(number: int, host: str, port: int, painter: Executor) -> SimTerminal:
    creeps = number >= VEHICLES - CREEPING
    plan = Plan(town.points(town.creep()), 2.6) if creeps else Plan(town.points(town.wander(number)), 9.0 + number % 5)
    version = tuple(Version)[number % 3]
    identity = Identity(
        phone=phone_of(number), version=version, terminal_id=f"D{number:06d}", plate=plate_of(number),
        imei=f"86753091{number:07d}" if version is Version.V2019 else "",
    )  # fmt: skip
    spec = TerminalSpec(
        identity=identity, host=host, port=port, report_seconds=REPORT_SECONDS, started_seconds=97.0 * number
    )  # fmt: skip
    return SimTerminal(spec, Drive(plan), cameras=_bus_cameras(identity, painter) if number == BUS else None)


def _bus_cameras(identity: Identity, painter: Executor) -> Cameras:
    specs = {
        number: CameraSpec(number=20 + number, title=f"bus {name}", main=_BUS_VIDEO, seed=120 + number)
        for number, name in _BUS_CAMERAS.items()
    }
    return Cameras(identity, {number: Camera(spec, painter) for number, spec in specs.items()})


class Traffic:
    """The town's roads and what drives on them. `folder`: where road networks lie."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self._folder = folder
        self._painter = ThreadPoolExecutor(1, "bus-painter")
        self.terminals = terminals(host, port, self._painter)
        self._drawing: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Draw the roads where there are none, and let them drive."""
        for number, terminal in enumerate(self.terminals):
            terminal.start(first_report_seconds=REPORT_SECONDS * number / VEHICLES)
        if not (self._folder / "current").exists():
            command = (sys.executable, "-m", "safecity.sim.towndraw", str(self._folder))
            self._drawing = await asyncio.create_subprocess_exec(*command, preexec_fn=_last)

    async def stop(self) -> None:
        """Sign off."""
        if self._drawing is not None and self._drawing.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._drawing.terminate()
            await self._drawing.wait()
        await asyncio.gather(*(one.stop() for one in self.terminals))
        self._painter.shutdown(wait=False)


def _last() -> None:
    """Whoever records or paints goes first."""
    os.nice(15)
