"""Load for a platform: many terminals that drive through a town and report, from a process of their own.

safecity sim terminals --count 1000 --platform HOST:PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.terminal import Identity
from safecity.sim.jt808.drive import METRES_PER_DEGREE, Drive, Plan
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec

if TYPE_CHECKING:
    from safecity.sim.jt808.cameras import Cameras  # needs PyAV, which terminals without cameras can do without

Figures = dict[str, float | int]

CENTRE: Final = (31.861, 117.283)
BLOCK_METRES: Final = 220.0
STREETS: Final = 40
"""Streets in each direction of the town."""
CONNECT_AT_ONCE: Final = 200
SOUNDS: Final = ("g711a", "g711u", "aac", "adpcm", "g726-16", "g726-24", "g726-32", "g726-40")
"""Names that `vehicle_sound` knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalLoad:
    """Who loads whom. `first`: number of the first terminal; phones are `139` and eight digits.

    `version` None: 2011, 2013 and 2019 in turn. `cameras` of each: what is seen of them is painted and coded in one
    thread for all, only while it is watched. `sound`: how what they hear is coded (`SOUNDS`), empty: they are deaf.
    `alarm_seconds`: so often each raises an alarm of its driver's state.
    """

    host: str
    port: int
    count: int = 1000
    first: int = 0
    report_seconds: float = 10.0
    version: Version | None = None
    seed: int = 1
    drives: int = 200
    cameras: int = 0
    sound: str = ""
    alarm_seconds: float = 0.0


def phone_of(number: int) -> str:
    """The phone number of a terminal, in a range of its own."""
    return f"139{number:08d}"


def plate_of(number: int) -> str:
    """Its vehicle's plate."""
    return f"皖A{number % 100_000:05d}"


def identity_of(options: TerminalLoad, number: int) -> Identity:
    """Who the terminal with that number says it is."""
    version = options.version or tuple(Version)[number % 3]
    return Identity(
        phone=phone_of(number), version=version, terminal_id=f"{number % 10_000_000:07d}", plate=plate_of(number),
        imei=f"86753090{number % 10_000_000:07d}" if version is Version.V2019 else "",
    )  # fmt: skip


def walk(seed: int, corners: int = 24) -> list[tuple[float, float]]:
    """A line along the streets of a town laid out like a chessboard: (latitude, longitude) of its corners."""
    dice = Random(seed)
    row, column = dice.randrange(STREETS), dice.randrange(STREETS)
    along = dice.random() < 0.5
    line = [(row, column)]
    while len(line) < corners:
        step = dice.choice((-1, 1)) * dice.randint(1, 6)
        if along:
            column = min(STREETS - 1, max(0, column + step))
        else:
            row = min(STREETS - 1, max(0, row + step))
        if (row, column) != line[-1]:
            line.append((row, column))
            along = not along
    block = BLOCK_METRES / METRES_PER_DEGREE
    return [
        (CENTRE[0] + (one[0] - STREETS / 2) * block, CENTRE[1] + (one[1] - STREETS / 2) * block / 0.85) for one in line
    ]


@dataclass(slots=True)
class Fleet:
    """The terminals of a load. Several share a line, at different places of it."""

    options: TerminalLoad
    terminals: list[SimTerminal] = field(default_factory=list[SimTerminal])
    _painter: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Connect them, `CONNECT_AT_ONCE` after another; their reports are spread over the interval."""
        options = self.options
        raise_file_limit(options.count + 200)
        drives = [Drive(Plan(walk(options.seed * 1000 + n))) for n in range(min(options.drives, options.count))]
        dice = Random(options.seed)
        for number in range(options.count):
            drive = drives[number % len(drives)]
            spec = TerminalSpec(
                identity=identity_of(options, options.first + number),
                host=options.host,
                port=options.port,
                report_seconds=options.report_seconds,
                alarm_seconds=options.alarm_seconds,
                started_seconds=dice.uniform(0, drive.lap_seconds),
            )
            terminal = SimTerminal(spec, drive, cameras=self._cameras(spec.identity, options.first + number))
            self.terminals.append(terminal)
            terminal.start(first_report_seconds=options.report_seconds * (number / options.count))
            if number % CONNECT_AT_ONCE == CONNECT_AT_ONCE - 1:
                await asyncio.sleep(0.1)

    def _cameras(self, identity: Identity, number: int) -> Cameras | None:
        if not self.options.cameras:
            return None
        from safecity.sim.camera import Camera, CameraSpec
        from safecity.sim.jt808.cameras import Cameras
        from safecity.sim.jt808.sounds import vehicle_sound

        coded, heard = vehicle_sound(self.options.sound)
        painter = self._painter = self._painter or ThreadPoolExecutor(1, "painter")
        specs = (
            CameraSpec(
                number=(number * 8 + one) % 256, title=f"{identity.phone} {one}", seed=number * 8 + one, sound=heard
            )
            for one in range(1, self.options.cameras + 1)
        )
        return Cameras(identity, {one: Camera(spec, painter) for one, spec in enumerate(specs, 1)}, sound=coded)

    def figures(self) -> Figures:
        """Terminals that are online, reports made, acknowledged and still waiting, connections, our own CPU seconds."""
        return {
            "terminals": len(self.terminals),
            "online": sum(one.online.is_set() for one in self.terminals),
            "refused": sum(bool(one.refused) for one in self.terminals),
            "reports": sum(one.reports for one in self.terminals),
            "acknowledged": sum(one.session.acknowledged for one in self.terminals),
            "waiting": sum(one.session.waiting for one in self.terminals),
            "connections": sum(one.connections for one in self.terminals),
            "cpu_seconds": round(time.process_time(), 2),
        }

    async def stop(self) -> None:
        """Sign off."""
        await asyncio.gather(*(one.stop() for one in self.terminals))
        if self._painter is not None:
            self._painter.shutdown(wait=False)


def raise_file_limit(wanted: int) -> None:
    """Each terminal is a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


async def terminals(options: TerminalLoad, seconds: float | None = None) -> Figures:
    """Drive for so long (None: until cancelled). The figures at the end."""
    fleet = Fleet(options)
    try:
        await fleet.start()
        if seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(seconds)
        return fleet.figures()
    finally:
        await fleet.stop()
