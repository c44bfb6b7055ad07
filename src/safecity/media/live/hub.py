"""Live streams and who watches them.

A `_Channel` exists for each stream that has a viewer. While there is one it reads the stream; each packet is made
once and the same bytes go to everybody. A viewer who is slow skips to the next key frame and harms nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from safecity.media.door.connection import Connection, Handler
from safecity.media.live.packager import Packager, Packet
from safecity.model.values.media import CodecParameters, StreamKey, Unit
from safecity.model.values.ticket import Ticket

MAX_GOP_BYTES = 24 * 1024 * 1024
MAX_GOP_PACKETS = 3000
KEY_REQUEST_SECONDS = 1.0


class Reader(Protocol):
    """Takes the units of a stream; see docs/design/contracts.md."""

    def offer(self, unit: Unit) -> None: ...
    def ended(self, reason: str) -> None: ...


class LiveStream(Protocol):
    """What this part needs of `media.streams.Stream`."""

    @property
    def parameters(self) -> Sequence[CodecParameters]: ...
    def gop(self) -> Sequence[Unit]: ...
    def attach(self, reader: Reader) -> None: ...
    def detach(self, reader: Reader) -> None: ...


@dataclass(frozen=True, slots=True)
class Notice:
    """The state of a stream as viewers are told: `running`, `lost`, `opening` or `idle`, and the step that failed."""

    state: str = "opening"
    step: str = ""
    params: Mapping[str, str | int | float | bool | None] | None = None

    def fields(self) -> dict[str, Any]:
        """As a message."""
        return {"type": "state", "state": self.state, "step": self.step, "params": dict(self.params or {})}


class LiveHub:
    """All live streams of a slot.

    find      the stream of a key: None while there is none yet, KeyError when the slot does not know the channel
    watched   called when the first viewer of a key comes (True) and the last leaves (False)
    ask_key   called, at most once a second and key, when viewers wait for a key frame after a loss
    now       monotonic seconds
    """

    def __init__(
        self,
        find: Callable[[StreamKey], LiveStream | None],
        watched: Callable[[StreamKey, bool], None],
        ask_key: Callable[[StreamKey], None],
        now: Callable[[], float],
    ) -> None:
        self.find = find
        self.watched = watched
        self.ask_key = ask_key
        self.now = now
        self._channels: dict[StreamKey, _Channel] = {}
        self._notices: dict[StreamKey, Notice] = {}
        self.counters: Counter[str] = Counter()

    def serve(self, connection: Connection, ticket: Ticket) -> Handler:
        """A viewer with a good ticket."""
        key = StreamKey(ticket.channel, ticket.quality)
        viewer = Viewer(self, connection, key)
        try:
            stream = self.find(key)
        except KeyError:
            connection.end("not_found")
            return viewer
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(self, key)
            self.watched(key, True)
            if stream is not None:
                channel.attach(stream)
        connection.say(self._notices.get(key, Notice("running" if stream is not None else "opening")).fields())
        channel.join(viewer)
        if viewer.behind and stream is not None:
            channel.ask_key()  # nothing to show yet: better now than at the end of a long group of pictures
        return viewer

    def attach(self, key: StreamKey, stream: LiveStream) -> None:
        """The stream of a key exists now, or is another object than before."""
        channel = self._channels.get(key)
        if channel is not None:
            channel.attach(stream)

    def notice(self, key: StreamKey, notice: Notice) -> None:
        """The state of a stream changed; its viewers are told."""
        self._notices[key] = notice
        channel = self._channels.get(key)
        if channel is not None:
            for viewer in channel.viewers:
                viewer.connection.say(notice.fields())

    def forget(self, key: StreamKey) -> None:
        """The channel is no longer ours: its viewers have to ask again."""
        self._notices.pop(key, None)
        channel = self._channels.get(key)
        if channel is not None:
            for viewer in list(channel.viewers):
                viewer.connection.end("moved")

    def viewers(self, key: StreamKey) -> int:
        """How many watch."""
        channel = self._channels.get(key)
        return len(channel.viewers) if channel is not None else 0

    def left(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        channel = self._channels.get(viewer.key)
        if channel is not None and channel.leave(viewer):
            del self._channels[viewer.key]
            self.watched(viewer.key, False)


class Viewer:
    """One live connection; its queue is the connection's own, bounded by skipping."""

    __slots__ = ("behind", "connection", "generation", "hub", "key", "limit", "skipped")

    def __init__(self, hub: LiveHub, connection: Connection, key: StreamKey) -> None:
        self.hub = hub
        self.connection = connection
        self.key = key
        self.generation = -1
        self.behind = True  # nothing before the first key frame
        self.skipped = 0
        self.limit = 0

    def message(self, fields: Mapping[str, Any]) -> None:
        """A live viewer has nothing to say; what newer clients say is ignored."""

    def drained(self) -> None:
        """The burst at the beginning is through: from now on the usual limit holds."""
        self.limit = 0

    def closed(self) -> None:
        """The connection is gone."""
        self.hub.left(self)


class _Channel:
    """One stream with at least one viewer."""

    def __init__(self, hub: LiveHub, key: StreamKey) -> None:
        self._hub = hub
        self._key = key
        self._stream: LiveStream | None = None
        self._packager = Packager(str(key.quality))
        self._gop: list[Packet] = []
        self._gop_bytes = 0
        self._limit = 512 * 1024
        self._key_asked = float("-inf")
        self.viewers: dict[Viewer, None] = {}

    def attach(self, stream: LiveStream) -> None:
        if stream is self._stream:
            return
        if self._stream is not None:
            self._stream.detach(self)
        self._stream = stream
        for parameters in stream.parameters:
            self._packager.know_audio(parameters)
        for unit in stream.gop():
            self.offer(unit)
        stream.attach(self)

    def join(self, viewer: Viewer) -> None:
        """The picture that is there already goes out at once."""
        self.viewers[viewer] = None
        if not self._gop:
            return
        viewer.behind = False
        viewer.generation = self._packager.generation
        connection = viewer.connection
        connection.send(b"".join((self._packager.init, *(packet.frames for packet in self._gop))))
        viewer.limit = connection.waiting_bytes and self._gop_bytes + self._limit

    def leave(self, viewer: Viewer) -> bool:
        """True when nobody is left."""
        self.viewers.pop(viewer, None)
        if self.viewers:
            return False
        if self._stream is not None:
            self._stream.detach(self)
            self._stream = None
        return True

    # --- Reader ---

    def offer(self, unit: Unit) -> None:
        packager = self._packager
        packet = packager.feed(unit)
        if packet is None:
            if packager.broken:
                self.ask_key()
            return
        self._keep(packet)
        for viewer in self.viewers:
            connection = viewer.connection
            if viewer.behind:
                self._catch_up(viewer, packet)
            elif connection.full and connection.waiting_bytes > (viewer.limit or self._limit):
                viewer.behind = True
                viewer.skipped += packet.units
                self._hub.counters["viewers_behind"] += 1
            elif viewer.generation != packager.generation:
                viewer.generation = packager.generation
                connection.send(packager.init + packet.frames)
            else:
                connection.send(packet.frames)

    def ended(self, reason: str) -> None:
        """The source is gone; the viewers stay and wait for the next one."""

    def _catch_up(self, viewer: Viewer, packet: Packet) -> None:
        connection = viewer.connection
        if not packet.is_key or connection.full:
            viewer.skipped += packet.units
            return
        viewer.behind = False
        if viewer.skipped and viewer.generation >= 0:
            self._hub.counters["units_skipped"] += viewer.skipped
            connection.say({"type": "skipped", "units": viewer.skipped})
        viewer.skipped = 0
        if viewer.generation != self._packager.generation:
            viewer.generation = self._packager.generation
            connection.send(self._packager.init + packet.frames)
        else:
            connection.send(packet.frames)

    def _keep(self, packet: Packet) -> None:
        if packet.is_key:
            if self._gop_bytes:
                # Enough for about one group of pictures: later than that, a viewer is better served by the next one.
                self._limit = min(max(256 * 1024, self._gop_bytes), 8 * 1024 * 1024)
            self._gop = [packet]
            self._gop_bytes = len(packet.frames)
        elif self._gop:
            self._gop.append(packet)
            self._gop_bytes += len(packet.frames)
            if len(self._gop) > MAX_GOP_PACKETS or self._gop_bytes > MAX_GOP_BYTES:
                self._gop, self._gop_bytes = [], 0  # without an end: who joins now waits for the next key frame

    def ask_key(self) -> None:
        now = self._hub.now()
        if now - self._key_asked >= KEY_REQUEST_SECONDS:
            self._key_asked = now
            self._hub.ask_key(self._key)
