"""The receiver of a slot: its ports, the streams expected on them, and the rhythm of fetching."""

from __future__ import annotations

import asyncio
import logging
import secrets
import select
import socket
from collections.abc import Callable, Iterable, Mapping

from safecity.kit.clock import Clock, SystemClock
from safecity.kit.errors import ConflictError, ExhaustedError, InvalidError, NotFoundError, Param
from safecity.media.receive.batch import best_batch, peer_address, peer_host, peer_key
from safecity.media.receive.connections import Connections
from safecity.media.receive.feed import JT1078, JT1078_UDP, TCP_ACTIVE, TCP_PASSIVE, UDP, Feed, SessionRecord
from safecity.media.receive.options import ReceiveOptions
from safecity.media.receive.port import PortFigure, UdpPort
from safecity.media.receive.router import Router
from safecity.media.receive.source import RtpSource
from safecity.media.receive.vehicles import Vehicles
from safecity.media.streams import IDLE, LOST, OPENING, RUNNING, Streams
from safecity.model.values.media import StreamKey, Unit

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.05
CALM_PACKETS = 40
"""Fewer datagrams than this in a tick of the slow clock: fetch them as they come."""

BUSY_PACKETS = 1500
"""More than this in a tick: look for whoever floods."""


class Receiver:
    """Receives pushed streams on ports handed over by descriptor.

    `prepare` -> port for the SDP; `confirm` when the device said 200; `close` when it is over. What happens is told
    through the `Stream`s: `tell` for states, `deliver` for units. Sessions survive a restart of the process:
    `on_sessions` is called when `export_sessions` would say something new, `restore_sessions` takes it up again.
    Not thread-safe: everything happens in the loop that called `start`.
    """

    def __init__(
        self,
        streams: Streams,
        udp: Mapping[int, socket.socket],
        tcp: Mapping[int, socket.socket],
        *,
        clock: Clock | None = None,
        options: ReceiveOptions | None = None,
        on_sessions: Callable[[], None] | None = None,
    ) -> None:
        self.streams = streams
        self.options = options or ReceiveOptions()
        self._clock = clock or SystemClock()
        self._on_sessions = on_sessions
        self._own_ssrc = secrets.randbits(32)
        self._current: dict[StreamKey, Feed] = {}
        self._coming: dict[StreamKey, Feed] = {}
        self._router = Router(self)
        self._batch = best_batch()
        self.ports = {
            number: UdpPort(number, sock, self._batch, self._router.datagram, self._clock, self.options.buffer_bytes)
            for number, sock in udp.items()
        }
        self._used = tuple(self.ports.values())
        self.vehicles = Vehicles(self, self.options.loss_seconds)
        self._tcp = Connections(tcp, self._router, self.vehicles, self._connection_lost)
        self._epoll: select.epoll | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._coalescing = False
        self._tick_datagrams = 0
        self._second = 0.0
        self._reported = 0.0
        self.loop_lag = 0.0

    # --- life -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to receive, in the running loop."""
        self._loop = loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        for port in self.ports.values():
            self._epoll.register(port.sock.fileno(), select.EPOLLIN)
        loop.add_reader(self._epoll.fileno(), self._readable)
        self._tcp.start()
        self._second = self._reported = self._clock.monotonic()
        self._timers["tick"] = loop.call_later(TICK_SECONDS, self._beat)

    def stop(self) -> None:
        """Stop receiving; the ports stay open, for whoever comes next."""
        loop = self._loop
        if loop is None:
            return
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._tcp.stop()
        if self._epoll is not None:
            loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None
        self._loop = None

    # --- opening and closing --------------------------------------------------------------------------------

    def prepare(self, key: StreamKey, ssrc: int, transport: str = UDP) -> int:
        """Make ready for a stream; the port to write into the SDP (9 for `tcp_active`).

        When the stream runs already, what runs goes on until packets of the new session arrive.
        ExhaustedError: no port free (or too many streams); ConflictError: the SSRC is taken on every port.
        """
        if not 0 < ssrc <= 0xFFFFFFFF:
            raise InvalidError(f"not an SSRC: {ssrc}", code="invalid_ssrc")
        if transport not in (UDP, TCP_PASSIVE, TCP_ACTIVE):
            raise InvalidError(f"unknown transport {transport[:32]!r}", code="invalid_transport")
        self._check_room()
        earlier = self._coming.pop(key, None)
        if earlier is not None:
            self._forget(earlier)
        current = self._current.get(key)
        if current is not None and not (current.started and current.stream.state == RUNNING):
            self._forget(self._current.pop(key))
            current = None
        port = self._choose_port(ssrc, transport)
        feed = self._new_feed(key, ssrc, transport, port)
        if current is None:
            self._current[key] = feed
            feed.stream.tell(OPENING, self._clock.now_us())
        else:
            self._coming[key] = feed
        self._changed()
        return 9 if transport == TCP_ACTIVE else port

    def prepare_vehicle(
        self, key: StreamKey, phone: str, number: int, host: str = "", transport: str = JT1078, aal2: bool = False
    ) -> int:  # fmt: skip
        """Make ready for a channel of a vehicle terminal, which is known to be at `host`; the port to tell it.
        `aal2`: how it packs G.726 (see `Voice`).

        The errors are those of `Vehicles.prepare`, and ExhaustedError for too many streams.
        """
        self._check_room()
        ports = tuple(self.ports) if transport == JT1078_UDP else self._tcp.numbers
        port = self.vehicles.prepare(self.streams.ensure(key), phone, number, host, ports, transport, aal2)
        self._mark()
        self._changed()
        return port

    def _mark(self) -> None:
        """Let datagrams of terminals through where a port passes what is expected alone."""
        for port in self.ports.values():
            marks = self.vehicles.marks(port.number)
            if marks != port.marks:
                port.marks = marks
                port.shield.renew(self._clock.monotonic(), port.expected)

    def _check_room(self) -> None:
        if len(self._current) + len(self._coming) + len(self.vehicles) >= self.options.sources:
            raise ExhaustedError("too many streams", code="too_many_streams", params={"limit": self.options.sources})

    def _new_feed(self, key: StreamKey, ssrc: int, transport: str, port: int) -> Feed:
        stream = self.streams.ensure(key)
        now = self._clock.monotonic()
        source = RtpSource(ssrc, stream.deliver, 0)
        source.hold_seconds = self.options.hold_ms / 1000
        feed = Feed(stream, source, transport, port, ssrc, ssrc, now, now)
        self._router.expect(feed)
        return feed

    def _choose_port(self, ssrc: int, transport: str) -> int:
        if transport == TCP_ACTIVE:
            return 0
        numbers = tuple(self.ports) if transport == UDP else self._tcp.numbers
        free = [number for number in numbers if not self._router.taken(number, transport, ssrc)]
        if not free:
            if not numbers:
                raise ExhaustedError("no media port", code="no_media_port")
            raise ConflictError(f"SSRC {ssrc:010d} is in use", code="ssrc_in_use", params={"ssrc": f"{ssrc:010d}"})
        number = min(free, key=lambda one: self._router.load(one))
        if self.options.exclusive_ports and self._router.load(number):
            raise ExhaustedError("every media port is in use", code="no_media_port", params={"ports": len(numbers)})
        return number

    def confirm(self, key: StreamKey, ssrc: int, remote_host: str = "", remote_port: int = 0) -> None:
        """The device answered 200: its SSRC holds, for `tcp_active` it is dialled now.

        NotFoundError when it was not prepared.
        """
        if self.vehicles.confirm(key):
            return
        feed = self._coming.get(key) or self._current.get(key)
        if feed is None:
            raise NotFoundError(f"nothing prepared for {key.channel}", code="stream_not_prepared")
        now = self._clock.monotonic()
        feed.confirmed = True
        feed.progress = now
        feed.remote_host, feed.remote_port = remote_host[:255], remote_port
        try:
            feed.hint = peer_host(peer_key(remote_host, 0)) if remote_host else 0
        except ValueError:
            feed.hint = 0  # a name: of no use, and never looked up
        if 0 < ssrc <= 0xFFFFFFFF and ssrc != feed.ssrc and not feed.received:
            self._router.rename(feed, ssrc)
        if feed.transport == TCP_ACTIVE and not feed.connected:
            self._tcp.dial(feed)
        self._changed()

    def close(self, key: StreamKey, reason: str = "", params: Mapping[str, Param] | None = None) -> None:
        """The stream is over, or could not be opened (`reason` is the step then); nothing to do is no error.

        `end`: a recording was sent to its end, which its viewers are told.
        """
        coming = self._coming.pop(key, None)
        if coming is not None:
            self._forget(coming)
            if reason:
                self._changed()
                return  # what runs goes on: only the attempt to renew it failed
        feed = self._current.pop(key, None)
        if feed is not None:
            self._forget(feed)
        was_there = self.vehicles.forget(key) or feed is not None
        self._mark()
        if was_there or coming is not None:
            self._changed()
        stream = self.streams.get(key)
        if stream is not None and (was_there or reason):
            state = LOST if reason and reason not in ("closed", "not_wanted", "reassigned", "end") else IDLE
            step = reason if state == LOST or reason == "end" else ""
            stream.tell(state, self._clock.now_us(), step, dict(params or {}))

    def _forget(self, feed: Feed) -> None:
        self._router.forget(feed)
        self._tcp.forget(feed)

    def feed_of(self, key: StreamKey) -> Feed | None:
        """The running or expected stream."""
        return self._current.get(key)

    def _changed(self) -> None:
        if self._on_sessions is not None:
            self._on_sessions()

    # --- what the router finds ------------------------------------------------------------------------------

    def first_packet(self, feed: Feed) -> None:
        """The first packet of a session was accepted: it takes the place of the one before."""
        feed.started = True
        stream = feed.stream
        key = feed.key
        if self._coming.get(key) is feed:
            del self._coming[key]
            before = self._current.pop(key, None)
            self._current[key] = feed
            if before is not None:
                self._forget(before)
        feed.source.media.begin(stream.resume_at(self._clock.now_us()))

        def first_unit(unit: Unit) -> None:
            feed.source.media.deliver = stream.deliver
            stream.transport = feed.transport
            stream.tell(RUNNING, self._clock.now_us())
            stream.deliver(unit)

        feed.source.media.deliver = first_unit
        self._changed()

    # --- fetching -------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        """Datagrams are there. Under load the next fetch waits for more of them to come together."""
        self._fetch()
        if self._coalescing and self._loop is not None and self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._timers["fetch"] = self._loop.call_later(self.options.coalesce_ms / 1000, self._fetch_again)

    def _fetch_again(self) -> None:
        loop, epoll = self._loop, self._epoll
        if loop is None or epoll is None:
            return
        self._fetch()
        if self._coalescing:
            self._timers["fetch"] = loop.call_later(self.options.coalesce_ms / 1000, self._fetch_again)
        else:
            loop.add_reader(epoll.fileno(), self._readable)

    def _fetch(self) -> None:
        # Asking all ports is cheaper than asking epoll which of them have something: under load nearly all have.
        for port in self._used:
            try:
                self._tick_datagrams += port.drain()
            except OSError as error:
                port.junk += 1
                logger.warning("media port failed port=%d error=%s", port.number, error)

    # --- rhythm ---------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        loop = self._loop
        if loop is None:
            return
        self._timers["tick"] = loop.call_later(TICK_SECONDS, self._beat)
        self.tick()

    def tick(self) -> None:
        """What is due: called every 50 ms; a test with a clock of its own calls it itself."""
        fetched, self._tick_datagrams = self._tick_datagrams, 0
        self._coalescing = fetched > CALM_PACKETS and self.options.coalesce_ms > 0
        now = self._clock.monotonic()
        us = self._clock.now_us()
        if fetched > BUSY_PACKETS:
            self._router.stop_floods(now, us)
        self._router.expire(now, us)
        if now - self._second >= 1.0:
            self._each_second(now, us)
            self._second = now
        if now - self._reported >= self.options.report_seconds:
            self._report(now)
            self._reported = now

    def _each_second(self, now: float, us: int) -> None:
        elapsed = now - self._second
        for feed in (*self._current.values(), *self._coming.values()):
            self._watch(feed, now, us, elapsed)
        self.vehicles.watch(now, us)
        for port in self.ports.values():
            port.shield.expire(now, port.expected)
        self._tcp.close_unclaimed()

    def _watch(self, feed: Feed, now: float, us: int, elapsed: float) -> None:
        stream, source = feed.stream, feed.source
        received = feed.received
        fresh = received - feed.seen_packets
        feed.seen_packets = received
        if self._coming.get(feed.key) is feed:
            if now - feed.prepared > 60:
                self._coming.pop(feed.key)
                self._forget(feed)
            return
        stream.packets += fresh
        stream.packets_lost += source.lost - feed.seen_lost
        feed.seen_lost = source.lost
        stream.sample(now)
        if source.media.units != feed.seen_units:
            feed.seen_units = source.media.units
            feed.progress = now
            feed.blocked = ""
            if stream.state != RUNNING and feed.started:
                stream.tell(RUNNING, us)
            return
        waited_for = feed.progress if feed.confirmed or feed.started else feed.prepared + 30
        if now - waited_for > self.options.loss_seconds and stream.state != LOST:
            step, params = feed.diagnosis()
            stream.tell(LOST, us, step, {**params, "seconds": round(now - feed.progress)})

    def _report(self, now: float) -> None:
        for feed in self._current.values():
            if feed.transport != UDP or not feed.source.peer:
                continue
            report = feed.source.report(self._own_ssrc, now, "safecity")
            port = self.ports.get(feed.port)
            if report is None or port is None:
                continue
            host, number = peer_address(feed.source.peer)
            # To the source's own port too: it keeps a NAT binding alive, and many devices look nowhere else.
            for target in (number, number + 1):
                try:
                    if 0 < target <= 65_535:
                        port.sock.sendto(report, (host, target))
                except OSError:
                    continue

    def _connection_lost(self, feed: Feed, step: str, params: dict[str, Param]) -> None:
        """Nothing will come on a closed connection: no need to wait for the loss timeout."""
        if self._current.get(feed.key) is feed and feed.stream.state in (RUNNING, OPENING):
            feed.stream.tell(LOST, self._clock.now_us(), step, params)

    # --- restart and figures --------------------------------------------------------------------------------

    def export_sessions(self) -> list[SessionRecord]:
        """The session table as it should be found after a restart."""
        return [*(feed.record() for feed in self._current.values()), *self.vehicles.records()]

    def restore_sessions(self, records: Iterable[SessionRecord]) -> list[StreamKey]:
        """Go on with sessions of before a restart, on inherited ports; the keys of those that cannot be (TCP)."""
        lost: list[StreamKey] = []
        for record in records:
            key = StreamKey(record.channel, record.quality)
            if record.transport != UDP or record.port not in self.ports or key in self._current:
                lost.append(key)
                continue
            feed = self._new_feed(key, record.ssrc, record.transport, record.port)
            feed.confirmed = record.confirmed
            feed.remote_host, feed.remote_port = record.remote_host, record.remote_port
            try:
                if record.peer_host:
                    feed.source.peer = peer_key(record.peer_host, record.peer_port)
                    feed.hint = peer_host(feed.source.peer)
            except ValueError:
                feed.source.peer = 0
            self._current[key] = feed
            feed.stream.tell(OPENING, self._clock.now_us())
        return lost

    def figures(self) -> list[PortFigure]:
        """Counters of the ports."""
        return [port.figure() for port in self.ports.values()]

    @property
    def udp_drops(self) -> int:
        """Datagrams the kernel threw away because the slot was too slow."""
        return sum(port.drops for port in self.ports.values())

    @property
    def accepts_failed(self) -> int:
        """Connections of devices that could not be taken: the process may open no more files."""
        return self._tcp.accepts_failed

    def wall_us(self) -> int:
        """The clock's."""
        return self._clock.now_us()

    def monotonic(self) -> float:
        """The clock's."""
        return self._clock.monotonic()
