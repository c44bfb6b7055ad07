"""Keeps signal and the slots at what is desired: pushed on change and whenever the other side comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from safecity.core.ground.access.api import Vault
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices import api as devices
from safecity.core.ground.duties.demands import demands
from safecity.core.ground.duties.desired import Desired, Keepalive, desired, slot_settings
from safecity.core.ground.duties.keys import TicketKeys
from safecity.core.ground.duties.parts import signal_parts, slot_parts
from safecity.core.ground.exports.api import current_holds
from safecity.core.ground.scenes import api as scenes
from safecity.core.ground.settings.api import DESIRED, Settings, get, touch_desired
from safecity.core.ground.tollgates import api as tollgates
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.media_calls import Applied, Message, StaleEpoch, StreamState, WatchStreams
from safecity.model.facts.signal_calls import DEVICE_PLAYBACK, AskDevices, DeviceFigure, DeviceFigures
from safecity.model.facts.vision_calls import ApplyVision, AskVision, VisionFigures
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
PUSH_TIMEOUT = 10.0
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 60.0
RELEASED_DAYS = 30
"""So long slots are told that a hold was released: one that was away for longer goes on holding, which harms less."""
DAY_US = 86_400 * SECOND_US
_STEP = 500
"""Channels in one statement."""
FIGURES = 1000
"""Devices in one answer: with long names of their programs some thousand would not fit into one frame."""


@dataclass(frozen=True, kw_only=True)
class DutySettings:
    """Addresses of media and vision slots, the data folder for relative volume paths, and keepalive of devices."""

    slots: tuple[str, ...]
    data_dir: str
    vision: tuple[str, ...] = ()
    keepalive: Keepalive = field(default_factory=Keepalive)


class Duties:
    """One task looks for changes; one per slot follows its streams; one asks signal for presence."""

    def __init__(
        self, database: Database, calls: Calls, vault: Vault, settings: Settings, board: channels.Board,
        keys: TicketKeys, duty: DutySettings, clock: Clock,
    ) -> None:  # fmt: skip
        self._database = database
        self._calls = calls
        self._vault = vault
        self._settings = settings
        self._board = board
        self._keys = keys
        self._duty = duty
        self._clock = clock
        self._pushed: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.figures: DeviceFigures = DeviceFigures(devices=())
        self.looking: dict[str, VisionFigures] = {}
        """What each vision slot said of its tasks."""
        self.to_look: dict[str, ApplyVision] = {}
        """What each of them is to do, whether it answers or not."""

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
            for slot in self._duty.vision:
                group.create_task(self._follow_vision(slot))

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
        behind = [to for to in ("signal", *self._duty.slots, *self._duty.vision) if self._pushed.get(to) != revision]
        if behind:
            wanted = await self._database.read(self._read)
            self.to_look = wanted.vision
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
        return desired(
            revision, platform, opened, channels.everything(tx), self._duty.slots, self._duty.keepalive,
            current_holds(tx, self._clock.now_us() - RELEASED_DAYS * DAY_US), demands(tx, self._clock.now_us()),
            tollgates.everything(tx), self._duty.vision, scenes.everything(tx),
        )  # fmt: skip

    async def _push_one(self, to: str, wanted: Desired) -> None:
        messages: list[Message] = [*signal_parts(wanted.signal)]
        if to in wanted.vision:
            messages = [wanted.vision[to]]
        elif to != "signal":
            platform = await self._settings.read()
            messages = [slot_settings(platform, self._keys.keys, self._duty.data_dir), *slot_parts(wanted.slots[to])]
        refused: tuple[StaleEpoch, ...] = ()
        try:
            for message in messages:
                answer = await self._calls.call(to, message, timeout=PUSH_TIMEOUT)
                refused = answer.refused if isinstance(answer, Applied) else refused
        except SafecityError as error:
            if self._pushed.pop(to, None) is not None:
                logger.warning("desired state not taken address=%s code=%s why=%s", to, error.code, error)
            return
        self._pushed[to] = wanted.signal.revision
        if refused:
            await self._outgrow(to, refused)

    async def _outgrow(self, slot: str, refused: Sequence[StaleEpoch]) -> None:
        """Epochs lower than a slot has seen come from a database brought back from a backup: count on from there."""
        seen = {one.channel: one.seen for one in refused}
        logger.warning("epochs older than the slot has seen, counted on slot=%s channels=%d", slot, len(seen))

        def work(tx: Tx) -> None:
            ids = sorted(seen)
            for start in range(0, len(ids), _STEP):
                for channel, found in channels.find_many(tx, ids[start : start + _STEP]).items():
                    if found.slot == slot and found.epoch < seen[channel]:
                        channels.save(tx, replace(found, epoch=seen[channel] + 1))
            touch_desired(tx)

        await self._database.write(work)
        self.look_again()

    async def _follow_slot(self, slot: str) -> None:
        """Streams of a slot, for as long as it answers; what comes back is told everything anew."""
        while True:
            self._pushed.pop(slot, None)
            self.look_again()
            try:
                async for state in self._calls.stream(slot, WatchStreams()):
                    if isinstance(state, StreamState) and not state.channel.startswith(f"{DEVICE_PLAYBACK}_"):
                        self._board.stream(slot, state)
            except SafecityError:
                pass
            self._board.slot_gone(slot)
            await asyncio.sleep(0.5)

    async def _follow_vision(self, slot: str) -> None:
        """Figures of a vision slot, for health; one that began anew knows nothing and is told it all again."""
        while True:
            try:
                answer = await self._calls.call(slot, AskVision(), timeout=5.0)
                if isinstance(answer, VisionFigures):
                    self.looking[slot] = answer
                    if answer.revision != self._pushed.get(slot):
                        self._pushed.pop(slot, None)
                        self.look_again()
            except SafecityError:
                self.looking.pop(slot, None)
                self._pushed.pop(slot, None)
            await asyncio.sleep(2.0)

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
