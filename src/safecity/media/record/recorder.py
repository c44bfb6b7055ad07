"""The recorder of a media slot: takes streams, keeps them on its volumes, tells what became of them.

Two threads and no more: the event loop hands units over, the writer thread (here) does everything that touches a disk.
About once a second it takes what came, cuts it into chunks, writes, makes all of it durable, commits the index.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeVar

from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ExhaustedError, SafecityError, UnavailableError
from safecity.kit.memory import give_back_memory
from safecity.media.record.appender import Buffer
from safecity.media.record.chain import Signer
from safecity.media.record.decide import Window
from safecity.media.record.facts import Fact, FootageDamaged, GapClosed, GapOpened, SegmentClosed, VolumeChanged
from safecity.media.record.files import FileLayer, SystemFiles
from safecity.media.record.gaps import GapChange
from safecity.media.record.index import OpenRow
from safecity.media.record.janitor import Hold, Janitor
from safecity.media.record.line import Line
from safecity.media.record.orders import Orders
from safecity.media.record.place import Known, Place, channel_bytes
from safecity.media.record.shelf import ShelfStream
from safecity.media.record.stream import Pending, StreamRecorder
from safecity.media.record.tide import Tide
from safecity.model.facts.media_calls import RecordPolicy, VolumeFigure, VolumeSpec
from safecity.model.values.media import StreamKey
from safecity.ports.sqlfile import OpenSqlFile

logger = logging.getLogger(__name__)

TURN_SECONDS: Final = 0.95
"""A little less than a chunk may hold, so that a turn makes one chunk and not one and a splinter."""
WINDOW_BYTES: Final = 64 << 20
_STEP_US: Final = SECOND_US // 2
T = TypeVar("T")


class Recorder:
    """See the module. Make it, `start()`, `open()` each recorded stream, `close()`.

    `volumes` may be changed later with `set_volumes`. `memory` is a small file of the slot outside all volumes that
    remembers which volume was where. `facts` is called in the writer thread with what happened in a turn.
    """

    def __init__(
        self,
        slot: int,
        volumes: Sequence[VolumeSpec],
        *,
        clock: Clock,
        open_sql: OpenSqlFile,
        memory: Path | None = None,
        files: FileLayer | None = None,
        signer: Signer | None = None,
        facts: Callable[[Sequence[Fact]], None] | None = None,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        self._slot = slot
        self._clock = clock
        self._open_sql = open_sql
        self._files: FileLayer = files or SystemFiles()
        self._signer = signer
        self._tell = facts
        self._facts: list[Fact] = []
        self._pending = Pending(Window.of(window_bytes))
        self._tide = Tide()
        self._buffer = Buffer()
        self._known = Known(self._files, memory)
        self._lines: dict[StreamKey, Line] = {}
        self._orders = Orders()
        self._commands: deque[Callable[[], None]] = deque()
        self._places: list[Place] = []
        self._states: dict[str, str] = {}
        self._skew = self._measure_skew()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.turns = 0
        self._set_volumes(tuple(volumes))

    # --- event loop -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the volumes and begin to write, in the writer thread."""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def open(self, key: StreamKey, policy: RecordPolicy, epoch: int) -> StreamRecorder:
        """The reader to attach to a stream. Opening a key again replaces the earlier one."""
        recorder = StreamRecorder(key, policy, epoch, self._clock, self._pending, self._wake.set)
        self._commands.append(lambda: self._add(recorder))
        return recorder

    def figures(self) -> tuple[VolumeFigure, ...]:
        """Each volume as it was some seconds ago."""
        return tuple(place.figure for place in self._places)

    def set_volumes(self, volumes: Sequence[VolumeSpec]) -> None:
        """Other volumes from now on; streams of those that go move on."""
        self._commands.append(lambda: self._set_volumes(tuple(volumes)))

    def keep(self, channel: str, policy: RecordPolicy) -> None:
        """How long the channel's footage is kept, whether or not it is recorded now."""
        self._commands.append(lambda: self._orders.keep(channel_bytes(channel), policy, self._open_janitors()))

    def place_hold(self, hold: str, channel: str, start: int, end: int, reason: str = "") -> Future[None]:
        """Keep [start, end) microseconds of the channel, on every volume, present and future footage; a volume that
        is away now is told before anything is deleted on it again."""

        def act() -> None:
            placed = Hold(channel_bytes(channel), start, end, reason, self._clock.now_us())
            self._orders.place(hold, placed, self._janitors())

        return self._submit(act)

    def release_hold(self, hold: str) -> Future[None]:
        """Also when it is gone already; a volume that is away now is told when it is back."""
        return self._submit(lambda: self._orders.release(hold, self._open_janitors()))

    def use_holds(self, holds: Mapping[str, Hold | None]) -> None:
        """What earlier lives were told (None: released): for volumes that were away then. Before `start`."""
        self._commands.append(lambda: self._orders.remember(holds, self._open_janitors()))

    def erase(self, channel: str, start: int, end: int, reason: str) -> Future[int]:
        """Delete footage on request; the bytes deleted. ConflictError (`held`)."""

        def act() -> int:
            now = self._clock.now_us()
            return sum(one.erase(channel_bytes(channel), start, end, reason, now) for one in self._janitors())

        return self._submit(act)

    def close(self) -> None:
        """Write and commit what is there, stop the thread. Blocks until done (at most some seconds)."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None
        else:
            self.finish()

    @property
    def shelves(self) -> list[Path]:
        """Folders of the volumes in use: what an `Archive` reads."""
        return [place.path for place in self._places]

    @property
    def waiting_bytes(self) -> int:
        """Received and not yet durable."""
        return self._pending.handed - self._pending.done

    # --- writer thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        due = self._clock.monotonic()
        while not self._stopping:
            try:
                self.turn()
            except Exception:
                logger.exception("recorder turn failed")
            due = max(due + TURN_SECONDS, self._clock.monotonic() - TURN_SECONDS)
            self._wait(due)
        self.finish()

    def _wait(self, due: float) -> None:
        """Until the next turn; earlier when commands wait or the window is half full."""
        while not self._stopping:
            left = due - self._clock.monotonic()
            if left <= 0 or self.waiting_bytes * 2 > self._pending.limits.limit(0):
                return
            if self._wake.wait(min(left, 0.25)):
                self._wake.clear()
                self._run_commands()

    def finish(self) -> None:
        """The last turn and a clean end. Only where `start` was not called, or by the thread itself."""
        self.turn()
        for place in self._places:
            place.close()
        self._flush_facts()
        self._buffer.close()

    def turn(self) -> None:
        """One second's work. Called by the thread, or by a test that has none."""
        now = self._clock.now_us()
        skew = self._measure_skew()
        stepped, self._skew = skew - self._skew, skew
        if abs(stepped) < _STEP_US:
            stepped = 0
        self._run_commands()
        for place in self._places:
            try:
                place.tend(now, sum(line.place is place for line in self._lines.values()))
            except (OSError, SafecityError) as error:
                self._give_up(place, error, now)
        done = 0
        for line in list(self._lines.values()):
            line.recorder.review()
            if line.book is None:
                line.begin_book(self._ready())
            if line.kept is not line.recorder.policy:
                line.kept = line.recorder.policy
                self._orders.keep(line.channel, line.kept, self._open_janitors())
            done += line.collect(stepped)
        self._write(now)
        if self._tide.ebbed(self.waiting_bytes):
            give_back_memory()
        self._pending.done += done
        for key, line in list(self._lines.items()):
            line.tick(now)
            if line.was_shed() and line.place is not None:
                line.place.slow(now)
            if line.recorder.closed and not line.waiting:
                self._remove(key, line)
        self._scrub()
        self.turns += 1
        self._flush_facts()

    def _write(self, now: int) -> None:
        """Place every line's cuts; what a failing or full volume leaves goes to the next one, nothing is lost by it."""
        tried: dict[StreamKey, set[str]] = {}
        lines = [line for line in self._lines.values() if line.waiting]
        while lines:
            groups: dict[str, list[Line]] = {}
            for line in lines:
                place = self._choose(line, tried.get(line.key, set()))
                if place is None:
                    line.lose()
                else:
                    groups.setdefault(place.spec.name, []).append(line)
            lines = list[Line]()
            for place in [one for one in self._places if one.spec.name in groups]:
                left = self._write_to(place, groups[place.spec.name], now)
                for line in left:
                    tried.setdefault(line.key, set()).add(place.spec.name)
                lines += left

    def _write_to(self, place: Place, lines: list[Line], now: int) -> list[Line]:
        """Write and commit; the lines that still have something are to go elsewhere."""
        shelf = place.shelf
        if shelf is None:
            return lines
        left: list[Line] = []
        kept = [(line, line.keep()) for line in lines]
        try:
            shelf.begin(now)
            for line in lines:
                stream = shelf.stream(line.channel, line.quality, line.recorder.epoch)
                if not self._write_line(place, stream, line, now):
                    left.append(line)
            shelf.commit()
        except Exception as error:  # SQL errors have no common name here; all mean that the state is unknown
            for line, before in kept:
                line.restore(before)
            self._give_up(place, error, now)
            return lines
        for line in lines:
            for change in line.told():
                self._tell_gap(line, change)
        return left

    def _write_line(self, place: Place, stream: ShelfStream, line: Line, now: int) -> bool:
        """False when the volume is full and the rest is to go elsewhere."""
        for _ in range(2):
            try:
                line.write(stream)
            except ExhaustedError:
                if not place.make_room(now, 1):
                    return False
            else:
                return True
        return False

    def _choose(self, line: Line, tried: set[str]) -> Place | None:
        """The place it has, or the one with most room for each stream."""
        if line.place is not None and line.place.usable and line.place.spec.name not in tried:
            return line.place
        ready = [one for one in self._ready() if one.spec.name not in tried]
        if not ready:
            return None
        count = {one.spec.name: 1 for one in ready}
        for other in self._lines.values():
            if other.place is not None and other.place.spec.name in count:
                count[other.place.spec.name] += 1
        line.place = max(ready, key=lambda one: one.figure.total_bytes / count[one.spec.name])
        return line.place

    # --- volumes --------------------------------------------------------------------------------------------------

    def _ready(self) -> list[Place]:
        return [place for place in self._places if place.usable]

    def _janitors(self) -> list[Janitor]:
        """UnavailableError when no volume could keep what is asked."""
        found = self._open_janitors()
        if not found:
            raise UnavailableError("no volume is ready", code="no_volume")
        return found

    def _open_janitors(self) -> list[Janitor]:
        return [place.janitor for place in self._places if place.janitor is not None]

    def _tell_orders(self, place: Place) -> None:
        if place.janitor is not None:
            self._orders.tell(place.janitor)

    def _give_up(self, place: Place, error: Exception, now: int) -> None:
        place.fail(error, now)
        for line in self._lines.values():
            if line.place is place:
                line.place = None

    def _set_volumes(self, specs: tuple[VolumeSpec, ...]) -> None:
        kept = [place for place in self._places if place.spec in specs]
        for place in self._places:
            if place not in kept:
                place.close()
                for line in self._lines.values():
                    if line.place is place:
                        line.place = None
        known = {place.spec: place for place in kept}
        self._places = [
            known.get(spec)
            or Place(
                spec,
                self._slot,
                self._files,
                self._open_sql,
                self._buffer,
                self._signer,
                self._known,
                self._segment,
                self._tell_orders,
            )
            for spec in specs
        ]

    # --- lines ----------------------------------------------------------------------------------------------------

    def _add(self, recorder: StreamRecorder) -> None:
        old = self._lines.pop(recorder.key, None)
        line = Line(recorder)
        if old is not None:
            line.follow(old)
        self._lines[recorder.key] = line

    def _remove(self, key: StreamKey, line: Line) -> None:
        del self._lines[key]
        if line.place is not None and line.place.shelf is not None:
            line.place.shelf.stream(line.channel, line.quality, line.recorder.epoch).finish()

    def _submit(self, what: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(what())
            except BaseException as error:
                future.set_exception(error)

        if self._stopping:
            future.set_exception(UnavailableError("recorder is stopping", code="slot_stopping"))
            return future
        self._commands.append(run)
        self._wake.set()
        return future

    def _run_commands(self) -> None:
        while self._commands:
            self._commands.popleft()()

    # --- facts ----------------------------------------------------------------------------------------------------

    def _segment(self, place: Place, stream: ShelfStream, row: OpenRow) -> None:
        key = self._key_of(stream.channel, stream.quality)
        if key is not None:
            self._facts.append(SegmentClosed(key, row.first * 1000, row.last * 1000, row.bytes, place.spec.name))

    def _tell_gap(self, line: Line, change: GapChange) -> None:
        key = line.recorder.key
        if change.end:
            self._facts.append(GapClosed(key, change.start, change.end, change.cause, change.detail))
        else:
            self._facts.append(GapOpened(key, change.start, change.cause, change.detail))

    def _flush_facts(self) -> None:
        for place in self._places:
            if self._states.get(place.spec.name) != place.state:
                self._states[place.spec.name] = place.state
                self._facts.append(VolumeChanged(place.spec.name, place.state, place.code))
        facts, self._facts = self._facts, []
        if facts and self._tell is not None:
            self._tell(facts)

    def _scrub(self) -> None:
        if self.waiting_bytes * 8 > self._pending.limits.limit(0):
            return
        for place in self._ready():
            for damage in place.scrub():
                logger.error("footage damaged volume=%s extent=%s at=%d", place.spec.name, damage.extent, damage.at)
                key = self._key_of(damage.channel, damage.quality)
                self._facts.append(FootageDamaged(key, damage.at, place.spec.name, damage.extent))

    def _key_of(self, channel: bytes, quality: int) -> StreamKey | None:
        lines = self._lines.items()
        return next((key for key, line in lines if (line.channel, line.quality) == (channel, quality)), None)

    def _measure_skew(self) -> int:
        return self._clock.now_us() - round(self._clock.monotonic() * SECOND_US)
