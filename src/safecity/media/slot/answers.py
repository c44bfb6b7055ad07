"""What a media slot answers over Calls: one method per request of `model/facts/media_calls.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from safecity.kit.errors import NotFoundError, UnavailableError
from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment, init_segment
from safecity.media.playback.search import key_picture
from safecity.media.playback.shelves import ShelfFootage
from safecity.media.receive.feed import JT1078, JT1078_UDP
from safecity.media.slot.parts import Parts
from safecity.media.slot.slot import Slot
from safecity.media.streams import Stream
from safecity.model.facts import media_calls as calls
from safecity.model.values.media import CLOCK_HZ, VIDEO, AudioParameters, Quality, StreamKey, VideoParameters
from safecity.ports.calls import Handler, StreamHandler


class Answers:
    """The handlers of one slot. `lag_ms` tells how late the loop is."""

    def __init__(self, slot: Slot, lag_ms: Callable[[], float]) -> None:
        self._slot = slot
        self._lag_ms = lag_ms
        self._parts = Parts()

    def handlers(self) -> Mapping[type[calls.Message], Handler]:
        """By request."""
        return {
            calls.SlotSettings: self.settings,
            calls.ApplyAssignments: self.apply,
            calls.PrepareStream: self.prepare,
            calls.ConfirmStream: self.confirm,
            calls.CloseStream: self.close,
            calls.AskStreams: self.streams,
            calls.StartRecording: self.start_recording,
            calls.StopRecording: self.stop_recording,
            calls.AskTimeline: self.timeline,
            calls.AskDays: self.days,
            calls.PlaceHold: self.place_hold,
            calls.ReleaseHold: self.release_hold,
            calls.AskPicture: self.picture,
            calls.EndSessions: self.end_sessions,
            calls.EraseRange: self.erase,
        }

    def stream_handlers(self) -> Mapping[type[calls.Message], StreamHandler]:
        """Requests that are answered again and again."""
        return {calls.WatchStreams: self.watch}

    # --- what it is told ---

    async def settings(self, request: calls.SlotSettings) -> calls.Message:
        self._slot.use_settings(request)
        return calls.Done()

    async def apply(self, request: calls.ApplyAssignments) -> calls.Message:
        whole = self._parts.add(request)
        if whole is None:
            return calls.Applied()
        refused = self._slot.apply(whole.revision, whole.assignments)
        self._slot.holding.hear(whole.holds, whole.released)
        return calls.Applied(refused)

    # --- streams ---

    async def prepare(self, request: calls.PrepareStream) -> calls.Message:
        key = StreamKey(request.channel, request.quality)
        self._slot.expect(key)
        if request.transport in (JT1078, JT1078_UDP):
            port = self._slot.parts.receiver.prepare_vehicle(
                key, request.terminal, request.number, request.remote_host, request.transport, request.aal2
            )  # fmt: skip
            return calls.Prepared(port=port)
        return calls.Prepared(port=self._slot.parts.receiver.prepare(key, request.ssrc, request.transport))

    async def confirm(self, request: calls.ConfirmStream) -> calls.Message:
        key = StreamKey(request.channel, request.quality)
        self._slot.parts.receiver.confirm(key, request.ssrc, request.remote_host, request.remote_port)
        self._slot.opened(key)
        return calls.Done()

    async def close(self, request: calls.CloseStream) -> calls.Message:
        key = StreamKey(request.channel, request.quality)
        self._slot.parts.receiver.close(key, request.reason, request.params)
        return calls.Done()

    def watch(self, request: calls.WatchStreams) -> AsyncGenerator[calls.Message]:
        return self._slot.board.watch()

    async def streams(self, request: calls.AskStreams) -> calls.Message:
        parts = self._slot.parts
        names = {f"{stream.key.channel}/{stream.key.quality}": stream for stream in parts.streams}
        wanted = sorted(name for name in names if name > request.after)
        told = wanted[: request.limit] if request.limit > 0 else wanted
        return calls.StreamFigures(
            streams=tuple(self._figure(names[name]) for name in told),
            volumes=parts.recorder.figures(),
            loop_lag_ms=round(self._lag_ms(), 1),
            udp_drops=parts.receiver.udp_drops,
            accepts_failed=parts.receiver.accepts_failed,
            facts_waiting=parts.relay.waiting,
            facts_dropped=parts.relay.dropped,
            next=told[-1] if len(told) < len(wanted) else "",
            intruders=parts.receiver.vehicles.intruders,
        )

    def _figure(self, stream: Stream) -> calls.StreamFigure:
        key = stream.key
        video = next((one for one in stream.parameters if isinstance(one, VideoParameters)), None)
        audio = next((one for one in stream.parameters if isinstance(one, AudioParameters)), None)
        bits, pictures = stream.rates()
        return calls.StreamFigure(
            channel=key.channel,
            quality=key.quality,
            state=stream.state,
            step=stream.step,
            codec=str(video.codec) if video else "",
            width=video.width if video else 0,
            height=video.height if video else 0,
            bits_per_second=round(bits),
            frames_per_second=round(pictures, 2),
            last_frame_at=stream.last_us,
            packets=stream.packets,
            packets_lost=stream.packets_lost,
            units=stream.units,
            units_damaged=stream.units_damaged,
            viewers=self._slot.hub.viewers(key),
            recording=self._slot.recording(key),
            transport=stream.transport,
            audio=str(audio.codec) if audio else "",
            opened_at=stream.opened_us,
            reconnects=stream.reconnects,
            params=dict(stream.params),
        )

    # --- recordings ---

    async def start_recording(self, request: calls.StartRecording) -> calls.Message:
        try:
            self._slot.start_recording(request)
        except KeyError as error:
            raise NotFoundError(f"no such channel here: {request.channel}", code="not_found") from error
        return calls.Done()

    async def stop_recording(self, request: calls.StopRecording) -> calls.Message:
        self._slot.stop_recording(request.channel)
        return calls.Done()

    async def timeline(self, request: calls.AskTimeline) -> calls.Message:
        quality = self._recorded_quality(request.channel)
        return await self._slot.parts.reader.ask(
            lambda archive: archive.timeline(
                request.channel, request.start, request.end, request.resolution_ms, quality
            )
        )

    async def days(self, request: calls.AskDays) -> calls.Message:
        quality = self._recorded_quality(request.channel)
        found = await self._slot.parts.reader.ask(
            lambda archive: archive.days(request.channel, request.start, request.end, request.offset_minutes, quality)
        )
        return calls.Days(days=tuple(found))

    async def place_hold(self, request: calls.PlaceHold) -> calls.Message:
        await self._slot.holding.place(request)
        return calls.Done()

    async def release_hold(self, request: calls.ReleaseHold) -> calls.Message:
        await self._slot.holding.release(request.hold)
        return calls.Done()

    async def erase(self, request: calls.EraseRange) -> calls.Message:
        future = self._slot.parts.recorder.erase(request.channel, request.start, request.end, request.reason)
        await asyncio.wrap_future(future)
        return calls.Done()

    async def picture(self, request: calls.AskPicture) -> calls.Message:
        key = StreamKey(request.channel, request.quality)
        if request.at:
            footage = ShelfFootage(request.channel, request.quality)
            run: Any = footage.in_thread(self._slot.parts.reader)
            found: tuple[int, bytes] | None = await run(lambda: key_picture(footage, request.at))
        else:
            found = self._live_picture(key)
        if found is None:
            raise UnavailableError(f"no picture of {request.channel}", code="no_picture")
        at, whole = found
        stream = self._slot.parts.streams.get(key)
        video = stream.parameters[0] if stream is not None and stream.parameters else None
        return calls.Picture(at=at, codec=str(video.codec) if video else "", fmp4=whole)

    def _live_picture(self, key: StreamKey) -> tuple[int, bytes] | None:
        stream = self._slot.parts.streams.get(key)
        units = stream.gop() if stream is not None else ()
        first = next((one for one in units if one.track == VIDEO and one.is_key), None)
        if first is None:
            return None
        alone = Sample(first.data, 0, 0, CLOCK_HZ, True)
        whole = init_segment([first.parameters]) + fragment(1, [TrackSamples(VIDEO, [alone])])
        return first.arrived_us, whole

    def _recorded_quality(self, channel: str) -> Quality:
        assignment = self._slot.assignments.get(channel)
        return assignment.record.quality if assignment is not None else Quality.MAIN

    # --- viewers ---

    async def end_sessions(self, request: calls.EndSessions) -> calls.Message:
        self._slot.door.end_sessions(frozenset(request.sessions))
        return calls.Done()
