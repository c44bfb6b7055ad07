"""Keeps signal and the slots at what is desired: pushed on change and whenever the other side comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from safecity.core.ground.access.api import Vault
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices import api as devices
from safecity.core.ground.duties.desired import Desired, Keepalive, desired, in_parts, slot_settings
from safecity.core.ground.duties.keys import TicketKeys
from safecity.core.ground.settings.api import DESIRED, Settings, get
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.media_calls import Message, StreamState, WatchStreams
from safecity.model.facts.signal_calls import AskDevices, DeviceFigure, DeviceFigures
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
PUSH_TIMEOUT = 10.0
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 60.0
FIGURES = 1000
"""Devices in one answer: with long names of their programs some thousand would not fit into one frame."""


@dataclass(frozen=True, kw_only=True)
class DutySettings:
    """Addresses of the slots, the data folder for relative volume paths, and keepalive of devices."""

    slots: tuple[str, ...]
    data_dir: str
    keepalive: Keepalive = field(default_factory=Keepalive)


class Duties:
    """One task looks for changes; one per slot follows its streams; one asks signal for presence."""

    def __init__(
        self, database: Database, calls: Calls, vault: Vault, settings: Settings, board: channels.Board,
        keys: TicketKeys, duty: DutySettings,
    ) -> None:  # fmt: skip
        self._database = database
        self._calls = calls
        self._vault = vault
        self._settings = settings
        self._board = board
        self._keys = keys
        self._duty = duty
        self._pushed: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.figures: DeviceFigures = DeviceFigures(devices=())

    def look_again(self) -> None:
        """Something may have changed: do not wait for the next look."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._push_loop())
            group.create_task(self._follow_signal())
            for slot in self._duty.slots:
                group.create_task(self._follow_slot(slot))

    async def _push_loop(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._keys.refresh()
                await self.push()
            except SafecityError as error:
                logger.warning("desired state waits code=%s why=%s", error.code, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()

    async def push(self) -> None:
        """Bring everybody who is behind up to the desired revision."""
        revision = await self._database.read(lambda tx: int(get(tx, DESIRED, 0)))
        behind = [to for to in ("signal", *self._duty.slots) if self._pushed.get(to) != revision]
        if behind:
            wanted = await self._database.read(self._read)
            await asyncio.gather(*(self._push_one(to, wanted) for to in behind))

    def _read(self, tx: Tx) -> Desired:
        opened: list[tuple[devices.Device, str]] = []
        for device, sealed in devices.everything(tx):
            try:
                opened.append((device, self._vault.open(sealed, device.id)))
            except SafecityError:
                logger.error("secret of a device does not open device=%s", device.id)
                opened.append((device, ""))
        revision, platform = int(get(tx, DESIRED, 0)), self._settings.platform(tx)
        return desired(revision, platform, opened, channels.everything(tx), self._duty.slots, self._duty.keepalive)

    async def _push_one(self, to: str, wanted: Desired) -> None:
        messages: list[Message] = [*in_parts(wanted.signal)]
        if to != "signal":
            platform = await self._settings.read()
            messages = [slot_settings(platform, self._keys.keys, self._duty.data_dir), wanted.slots[to]]
        try:
            for message in messages:
                await self._calls.call(to, message, timeout=PUSH_TIMEOUT)
        except SafecityError as error:
            if self._pushed.pop(to, None) is not None:
                logger.warning("desired state not taken address=%s code=%s why=%s", to, error.code, error)
            return
        self._pushed[to] = wanted.signal.revision

    async def _follow_slot(self, slot: str) -> None:
        """Streams of a slot, for as long as it answers; what comes back is told everything anew."""
        while True:
            self._pushed.pop(slot, None)
            self.look_again()
            try:
                async for state in self._calls.stream(slot, WatchStreams()):
                    if isinstance(state, StreamState):
                        self._board.stream(slot, state)
            except SafecityError:
                pass
            self._board.slot_gone(slot)
            await asyncio.sleep(0.5)

    async def _follow_signal(self) -> None:
        """Presence figures, for lists and health; events are what changes the database."""
        failed, waited = True, 0.0
        while True:
            try:
                self.figures = await self._ask_devices()
                if failed or waited >= AGAIN_SECONDS:
                    # It came back, or may have without our seeing it: tell it all again.
                    self._pushed.pop("signal", None)
                    self.look_again()
                    waited = 0.0
                failed = False
            except SafecityError:
                failed = True
            await asyncio.sleep(2.0)
            waited += 2.0

    async def _ask_devices(self) -> DeviceFigures:
        """All devices, however many messages that takes."""
        found: list[DeviceFigure] = []
        after = ""
        while True:
            answer = await self._calls.call("signal", AskDevices(after, FIGURES), timeout=5.0)
            if not isinstance(answer, DeviceFigures):
                raise UnavailableError("no figures", code="answer_unexpected")
            found += answer.devices
            if not answer.next or answer.next <= after:
                return DeviceFigures(tuple(found), answer.unknown)
            after = answer.next
