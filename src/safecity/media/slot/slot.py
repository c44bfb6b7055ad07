"""A media slot at work: streams in, recorder and viewers out, everything it was told remembered.

Assembled in `server/roles/media.py`; knows the parts of the media plane, but no driver and no engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safecity.kit.clock import Clock
from safecity.media.door.connection import Connection, Handler
from safecity.media.door.door import Access, Door
from safecity.media.door.used import UsedTickets
from safecity.media.live.hub import LiveHub, Notice
from safecity.media.playback.session import PlaybackSession
from safecity.media.playback.shelves import ShelfFootage
from safecity.media.receive.receiver import Receiver
from safecity.media.record.facts import Fact
from safecity.media.record.reading import ReaderThread
from safecity.media.record.recorder import Recorder
from safecity.media.record.stream import StreamRecorder
from safecity.media.slot import facts
from safecity.media.slot.board import Board
from safecity.media.slot.holding import Holding
from safecity.media.slot.keyframes import KeyFrames
from safecity.media.slot.mirrors import Lent, Mirrors
from safecity.media.slot.orphans import Orphans
from safecity.media.slot.pulls import Pull, Pulls
from safecity.media.slot.relay import Relay
from safecity.media.slot.state import SlotFile
from safecity.media.streams import IDLE, LOST, RUNNING, Stream, Streams
from safecity.model.facts.media_calls import (
    Assignment,
    PushedSource,
    RecordPolicy,
    RtspSource,
    SlotSettings,
    StaleEpoch,
    StartRecording,
    VolumeSpec,
)
from safecity.model.values.media import Quality, StreamKey
from safecity.model.values.ticket import Ticket
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)

MAX_PLAYBACKS = 200
SAVE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a slot is made of.

    links         folder of the unit links' sockets
    make_volume   makes the folder of a volume that lies within the platform's own data
    used          tickets that were opened, shared by all slots of the machine
    """

    address: str
    state: SlotFile
    streams: Streams
    receiver: Receiver
    recorder: Recorder
    reader: ReaderThread
    relay: Relay
    calls: Calls
    clock: Clock
    links: Path
    make_volume: Callable[[VolumeSpec], None]
    pull: Pull | None = None
    idle_close_seconds: float = 15.0
    used: UsedTickets = field(default_factory=UsedTickets)


class Slot:
    """See the module. `resume` first, then `tick` once a second."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.access = Access()
        self.keys = KeyFrames(parts.calls, parts.streams, self._is_pushed)
        self.hub = LiveHub(self.find, self._watched, self.keys.ask, parts.clock.monotonic)
        self.mirrors = Mirrors(parts.links, parts.clock, self._mirror_changed, self.hub.forget)
        routes = {"live": self._serve_live, "playback": self._serve_playback}
        self.door = Door(parts.clock, routes, self.access, watched=self._viewing_ended, used=parts.used)
        self.board = Board(self.wanted, self.hub.viewers, self.recording)
        self.holding = Holding(parts.state, parts.recorder, parts.clock)
        self.orphans = Orphans()
        self.settings: SlotSettings | None = None
        self.assignments: dict[str, Assignment] = {}
        self.recorders: dict[str, StreamRecorder] = {}
        self.pulls = Pulls(parts.pull, parts.clock, parts.idle_close_seconds)
        self._lent: Counter[StreamKey] = Counter()
        self._playbacks = 0
        self._told: dict[StreamKey, str] = {}
        self._save: asyncio.TimerHandle | None = None

    # --- life ---

    def resume(self) -> None:
        """Go on with what the last life was told: nobody has to be asked."""
        state = self.parts.state
        # So that a stream which comes back in this life is called back, and one that stays away is not lost twice.
        self._told = {StreamKey(channel, Quality(quality)): LOST for channel, quality in state.outbox.lost()}
        settings = state.settings()
        if settings is not None:
            self._use_settings(settings)
        _, assignments = state.assignments()
        for assignment in assignments:
            self._take(assignment)
        self.holding.remember()
        lost = self.parts.receiver.restore_sessions(state.sessions())
        for key in lost:
            self._ensure(key).tell(LOST, self.parts.clock.now_us(), "slot_restarted")
        for stream in self.parts.streams:
            stream.on_state = self._stream_changed
            self.hub.attach(stream.key, stream)
        for demand in state.demands():
            self.start_recording(demand, remember=False)
        self.tick()
        for number, stream in enumerate(self.parts.streams):
            if self.parts.receiver.feed_of(stream.key) is not None:
                # What the system kept for us may hold no key frame, and the next one may be seconds away.
                self.keys.resume(stream.key, number)

    def tick(self) -> None:
        """Once a second: what is wanted may have changed with the time of day or because somebody left."""
        now = self.parts.clock.monotonic()
        for channel, recorder in list(self.recorders.items()):
            assignment = self.assignments.get(channel)
            if assignment is not None and assignment.record.mode == "off" and not recorder.demanded:
                self._close_recorder(channel, "released")
                self.parts.state.keep_demand(channel, None)
        for key in self.pulls:
            stream = self._ensure(key)
            stream.sample(now)
            self.pulls.tend(stream, self.wanted(key))
        for stream in self.parts.streams:
            foreign = stream.key.channel not in self.assignments
            watched = bool(self.hub.viewers(stream.key)) or stream.key in self._lent
            if foreign and self.orphans.is_forgotten(stream.key, now, watched=watched):
                self.parts.receiver.close(stream.key, "not_wanted")
            if foreign and self._abandoned(stream):
                self._drop(stream.key, "released")
            else:
                self.board.tell(stream)

    async def close(self) -> None:
        """Say goodbye to viewers, stop pulling; the recorder and the receiver are closed by their owner."""
        await self.door.close()
        self.mirrors.close()
        await self.pulls.close()
        await self.keys.close()
        self._save_sessions()
        self.parts.relay.flush()

    # --- settings and assignments ---

    def use_settings(self, settings: SlotSettings) -> None:
        """What control says; durable on return."""
        if settings != self.settings:
            self.parts.state.keep_settings(settings)
            self._use_settings(settings)

    def _use_settings(self, settings: SlotSettings) -> None:
        before, self.settings = self.settings, settings
        self.access.keys = settings.ticket_keys
        for volume in settings.volumes:
            self.parts.make_volume(volume)
        if settings.volumes and (before is None or before.volumes != settings.volumes):
            self.parts.recorder.set_volumes(settings.volumes)

    def apply(self, revision: int, assignments: Sequence[Assignment]) -> tuple[StaleEpoch, ...]:
        """The whole truth; durable before it is acted on. What comes under too low an epoch is answered and changes
        nothing; the others do not wait for it."""
        refused = self.parts.state.stale(assignments)
        stale = {one.channel for one in refused}
        counting = [self.assignments.get(one.channel) if one.channel in stale else one for one in assignments]
        truth = [one for one in counting if one is not None]
        self.parts.state.keep_assignments(revision, truth)
        mine = {one.channel for one in truth}
        for channel in [one for one in self.assignments if one not in mine]:
            self._release(channel)
        for assignment in truth:
            before = self.assignments.get(assignment.channel)
            if before != assignment:
                self._take(assignment)
                self._follow_demand(before, assignment)
        self.tick()
        return refused

    def _follow_demand(self, before: Assignment | None, assignment: Assignment) -> None:
        """A recording by hand that came with the channel from another slot begins here; one that ended ends."""
        asked = before.demand if before is not None else None
        if assignment.demand is not None and assignment.demand != asked:
            self.start_recording(assignment.demand)
        elif assignment.demand is None and asked is not None:
            self.stop_recording(assignment.channel)

    def _take(self, assignment: Assignment) -> None:
        before = self.assignments.get(assignment.channel)
        self.assignments[assignment.channel] = assignment
        gone = set(before.sources) - set(assignment.sources) if before is not None else set[str]()
        for quality in gone:
            self._drop(StreamKey(assignment.channel, Quality(quality)), "released")
        for quality, source in assignment.sources.items():
            key = StreamKey(assignment.channel, Quality(quality))
            self._ensure(key)
            self.mirrors.drop(key)  # it was another slot's until now
            self.pulls.set(key, source if isinstance(source, RtspSource) else None)
        self._keep_recorder(assignment)

    def _release(self, channel: str) -> None:
        assignment = self.assignments.pop(channel)
        recorder = self.recorders.get(channel)
        if recorder is not None and recorder.demanded:
            # It went with the channel, and must not wake up here when that comes back.
            self.parts.state.keep_demand(channel, None)
        self._close_recorder(channel, "released")
        for quality in assignment.sources:
            self._drop(StreamKey(channel, Quality(quality)), "released")

    def _drop(self, key: StreamKey, reason: str) -> None:
        self.pulls.stop(key)
        self.parts.receiver.close(key)
        self.hub.forget(key)
        self.parts.streams.drop(key, reason)
        self.board.forget(key)
        self.orphans.forget(key)
        self._told.pop(key, None)

    def _ensure(self, key: StreamKey) -> Stream:
        stream = self.parts.streams.ensure(key)
        if stream.on_state is None:
            stream.on_state = self._stream_changed
            self.hub.attach(key, stream)
        return stream

    def opened(self, key: StreamKey) -> None:
        """A device said 200: if no picture comes at once, it is asked for a key frame."""
        self.keys.urge(key)

    def expect(self, key: StreamKey) -> Stream:
        """The stream a device will push; also for a channel that is nobody's (playback of a device's own recording)."""
        return self._ensure(key)

    # --- recording ---

    def _keep_recorder(self, assignment: Assignment) -> None:
        channel, policy = assignment.channel, assignment.record
        self.parts.recorder.keep(channel, policy)
        recorder = self.recorders.get(channel)
        if recorder is not None and recorder.key.quality is not policy.quality:
            self._close_recorder(channel, "released")
            recorder = None
        if recorder is not None:
            recorder.apply(policy, assignment.epoch)
        elif policy.mode != "off":
            self._open_recorder(channel, policy, assignment.epoch)

    def _open_recorder(self, channel: str, policy: RecordPolicy, epoch: int) -> StreamRecorder:
        key = StreamKey(channel, policy.quality)
        recorder = self.recorders[channel] = self.parts.recorder.open(key, policy, epoch)
        stream = self._ensure(key)
        recorder.preload(stream.gop())
        stream.attach(recorder)
        return recorder

    def _close_recorder(self, channel: str, reason: str) -> None:
        recorder = self.recorders.pop(channel, None)
        if recorder is not None:
            stream = self.parts.streams.get(recorder.key)
            if stream is not None:
                stream.detach(recorder)
            recorder.close(reason)

    def start_recording(self, demand: StartRecording, *, remember: bool = True) -> None:
        """Record besides the policy. KeyError for a channel that is not ours."""
        assignment = self.assignments.get(demand.channel)
        if assignment is None:
            if not remember:
                return
            raise KeyError(demand.channel)
        if remember:
            self.parts.state.keep_demand(demand.channel, demand)
        recorder = self.recorders.get(demand.channel)
        if recorder is None:
            recorder = self._open_recorder(demand.channel, assignment.record, assignment.epoch)
        recorder.start_recording(demand.until, demand.reason)
        self._tell(recorder.key)

    def stop_recording(self, channel: str) -> None:
        """After the post-roll."""
        recorder = self.recorders.get(channel)
        if recorder is not None:
            recorder.stop_recording()
            self.parts.state.keep_demand(channel, None)

    def recording(self, key: StreamKey) -> bool:
        """Whether pictures of the stream go to disk now."""
        recorder, stream = self.recorders.get(key.channel), self.parts.streams.get(key)
        recorded = recorder is not None and recorder.key == key and recorder.recording
        return recorded and stream is not None and stream.state == RUNNING

    # --- what is wanted ---

    def wanted(self, key: StreamKey) -> bool:
        """Somebody needs the stream now: recording, a viewer, or a standing order."""
        if self.hub.viewers(key) or key in self._lent:
            return True
        assignment = self.assignments.get(key.channel)
        if assignment is not None and key.quality in assignment.always:
            return True
        recorder = self.recorders.get(key.channel)
        due = recorder is not None and (recorder.decision.recording or recorder.demanded)
        return due and recorder is not None and recorder.key == key

    def _abandoned(self, stream: Stream) -> bool:
        """A stream of no assigned channel that is not received any more."""
        return stream.state in (IDLE, LOST) and not self.hub.viewers(stream.key)

    def _tell(self, key: StreamKey) -> None:
        stream = self.parts.streams.get(key)
        if stream is not None:
            self.board.tell(stream)
            self.pulls.tend(stream, self.wanted(key))

    # --- what happens to streams ---

    def _stream_changed(self, stream: Stream) -> None:
        key = stream.key
        self.hub.notice(key, Notice(stream.state, stream.step, dict(stream.params)))
        self.board.tell(stream)
        recorder = self.recorders.get(key.channel)
        if stream.state == LOST and recorder is not None and recorder.key == key:
            recorder.ended(stream.step)
        if key.channel not in self.assignments:
            return  # a device's own recording being played: what becomes of it is no news
        before = self._told.get(key, "")
        if stream.state in (RUNNING, LOST) and stream.state != before:
            self._told[key] = stream.state
            if before or stream.state == LOST:
                self.parts.relay.add([facts.of_stream(self.origin, stream, self.parts.clock.now_us())])

    def sessions_changed(self) -> None:
        """The receiver's table is another; written a little later, many changes at once."""
        if self._save is None:
            self._save = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save_sessions)

    def _save_sessions(self) -> None:
        if self._save is not None:
            self._save.cancel()
            self._save = None
        self.parts.state.keep_sessions(self.parts.receiver.export_sessions())

    def recorder_says(self, happened: Sequence[Fact]) -> None:
        """Facts of the recorder, in the loop."""
        self.parts.relay.add(facts.of_recorder(self.origin, happened, self.parts.clock.now_us()))

    @property
    def origin(self) -> str:
        """Platform and duty, as events carry it."""
        return f"{self.settings.platform if self.settings is not None else ''}/{self.parts.address}"

    # --- viewers ---

    def find(self, key: StreamKey) -> Stream | None:
        """The stream of a key; KeyError when the slot does not know the channel."""
        stream = self.parts.streams.get(key) or self.mirrors.get(key)
        if stream is None:
            raise KeyError(key)
        return stream

    def lend(self, key: StreamKey) -> Lent | None:
        """A stream of ours for a viewer at another slot."""
        stream = self.parts.streams.get(key)
        return Lent(stream, self._lent, self._tell) if stream is not None else None

    def _serve_live(self, connection: Connection, ticket: Ticket) -> Handler:
        key = StreamKey(ticket.channel, ticket.quality)
        owner = f"media-{ticket.slot}"
        if owner != self.parts.address and self.parts.streams.get(key) is None:
            self.mirrors.want(key, owner)
        return self.hub.serve(connection, ticket)

    def _watched(self, key: StreamKey, watched: bool) -> None:
        if not watched:
            self.mirrors.unwant(key)
        self._tell(key)

    def _mirror_changed(self, stream: Stream) -> None:
        self.hub.notice(stream.key, Notice(stream.state, stream.step, dict(stream.params)))

    def _is_pushed(self, key: StreamKey) -> bool:
        assignment = self.assignments.get(key.channel)
        return assignment is not None and isinstance(assignment.sources.get(str(key.quality)), PushedSource)

    def _serve_playback(self, connection: Connection, ticket: Ticket) -> Handler:
        footage = ShelfFootage(ticket.channel, ticket.quality)
        work = footage.in_thread(self.parts.reader)
        session = PlaybackSession(connection, ticket, footage, work, self.parts.clock, self._playback_ended)
        self._playbacks += 1
        if self._playbacks > MAX_PLAYBACKS:
            connection.end("too_many_viewers")
        return session

    def _playback_ended(self) -> None:
        self._playbacks -= 1

    def _viewing_ended(self, ticket: Ticket, seconds: float) -> None:
        seen = self.parts.clock.now_us()
        self.parts.relay.add([facts.of_viewing(self.origin, ticket, seconds, seen)])
