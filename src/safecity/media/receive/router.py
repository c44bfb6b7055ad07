"""Whose packet is it? Everything the innermost loop does not know by itself is decided here."""

from __future__ import annotations

import logging
from typing import Final, Protocol

from safecity.media.receive.batch import Batch, best_batch, peer_address, peer_host, peer_key
from safecity.media.receive.feed import STRAY_BYTES, STRAY_SECONDS, TCP_PASSIVE, UDP, Feed, Stray
from safecity.media.receive.port import UdpPort
from safecity.media.receive.source import PARTS, RtpSource
from safecity.media.receive.strangers import BLOCK_SECONDS, FEED_LIMIT, Strangers
from safecity.media.receive.tcp import MediaConnection
from safecity.media.receive.vehicles import Vehicles
from safecity.media.streams import LOST
from safecity.protocols.jt1078.packets import MAGIC
from safecity.protocols.rtp import rtcp
from safecity.protocols.rtp.packets import HEADER, payload_span

logger = logging.getLogger(__name__)

MOVE_SECONDS: Final = 2.0
"""A pinned source that was silent so long may come from another port of the same machine (NAT, restart)."""
_G711_TYPES: Final = (0, 8)
_BIG_SLOT: Final = 65_536
_FLOOD_BURST: Final = 2_000


class Owner(Protocol):
    """What the router needs of the receiver."""

    ports: dict[int, UdpPort]
    vehicles: Vehicles

    def first_packet(self, feed: Feed) -> None: ...
    def wall_us(self) -> int: ...
    def monotonic(self) -> float: ...


class Router:
    """All feeds by port, SSRC and source."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._feeds: dict[RtpSource, Feed] = {}
        self._on_port: dict[int, list[Feed]] = {}
        self._waiting: set[RtpSource] = set()  # sources that hold packets out of order
        self._strangers = Strangers()
        self._big: Batch | None = None
        self._floods_at = 0.0

    # --- the table ------------------------------------------------------------------------------------------

    def expect(self, feed: Feed) -> None:
        """Packets of this feed may come from now on."""
        self._feeds[feed.source] = feed
        self._on_port.setdefault(feed.port, []).append(feed)
        if feed.transport == UDP:
            port = self._owner.ports[feed.port]
            port.sources[feed.ssrc] = feed.source
            port.shield.renew(self._owner.monotonic(), port.expected)

    def forget(self, feed: Feed) -> None:
        """No more packets of it."""
        self._feeds.pop(feed.source, None)
        self._waiting.discard(feed.source)
        feeds = self._on_port.get(feed.port, [])
        if feed in feeds:
            feeds.remove(feed)
        port = self._owner.ports.get(feed.port)
        if port is not None and port.sources.get(feed.ssrc) is feed.source:
            del port.sources[feed.ssrc]

    def rename(self, feed: Feed, ssrc: int) -> None:
        """The device uses another SSRC. Another feed's SSRC is not taken from it."""
        if feed.transport == UDP:
            sources = self._owner.ports[feed.port].sources
            if ssrc in sources:
                logger.warning("ssrc is taken already ssrc=%010d channel=%s", ssrc, feed.key.channel)
                return
            if sources.get(feed.ssrc) is feed.source:
                del sources[feed.ssrc]
            sources[ssrc] = feed.source
            self._owner.ports[feed.port].shield.renew(self._owner.monotonic(), self._owner.ports[feed.port].expected)
        feed.ssrc = feed.source.ssrc = ssrc

    def taken(self, number: int, transport: str, ssrc: int) -> bool:
        """Somebody uses this SSRC on this port."""
        return any(feed.ssrc == ssrc and feed.transport == transport for feed in self._on_port.get(number, ()))

    def load(self, number: int) -> int:
        """Feeds on this port."""
        return len(self._on_port.get(number, ()))

    def feed_of(self, source: RtpSource) -> Feed | None:
        """The feed behind a source."""
        return self._feeds.get(source)

    # --- datagrams ------------------------------------------------------------------------------------------

    def datagram(self, port: UdpPort, peer: int, ssrc: int, data: bytes, now: float, us: int) -> None:
        """A datagram that is not simply the next one of its source."""
        if len(data) >= port.batch.slot:
            self._oversize(port)
            return
        if len(data) < 8 or data[0] & 0xC0 != 0x80:
            if data.startswith(MAGIC) and self._owner.vehicles.datagram(port.number, peer, data):
                return
            port.junk += 1
            self._stranger(peer, now)
            return
        if rtcp.is_rtcp(data[1]):
            self._report(port, peer, data, now)
            return
        if len(data) < 12:
            port.junk += 1
            self._stranger(peer, now)
            return
        source = port.sources.get(ssrc)
        if source is None:
            self._unknown(port, peer, ssrc, data, now, us)
            return
        feed = self._feeds[source]
        if source.peer != peer:
            if source.peer and not self._may_move(feed, peer, us):
                source.refused += 1
                self._stranger(peer, now)
                return
            if source.peer:
                logger.info("media source moved channel=%s to=%s:%d", feed.key.channel, *peer_address(peer))
            source.peer = peer
        self._take(feed, data, now, us)

    def _take(self, feed: Feed, data: bytes, now: float, us: int) -> None:
        source = feed.source
        span = payload_span(data, 0, len(data))
        if span is None:
            source.media.oversize += 1
            return
        first, second, sequence, timestamp, _ = HEADER.unpack_from(data)
        if not feed.started:
            self._owner.first_packet(feed)
        payload = data[span[0] : span[1]]
        kind = second & 0x7F
        if kind in _G711_TYPES:
            payload = b""  # sound beside a program stream: not ours, but its sequence number counts
        elif not source.media.recognised:
            source.look_at(kind, payload)
        elif first == 0x80 and source.head:
            source.head = 0x8000 | kind
        source.accept(sequence, timestamp, second >= 0x80, payload, now, us)
        if source.holding:
            self._waiting.add(source)

    @staticmethod
    def _may_move(feed: Feed, peer: int, us: int) -> bool:
        return peer_host(feed.source.peer) == peer_host(peer) and feed.silent(us) > MOVE_SECONDS

    def _oversize(self, port: UdpPort) -> None:
        """A datagram larger than the slots: from now on this port has large slots."""
        port.oversize += 1
        if port.batch.slot < _BIG_SLOT:
            if self._big is None:
                self._big = best_batch(16, _BIG_SLOT)
            port.batch = self._big

    def _report(self, port: UdpPort, peer: int, data: bytes, now: float) -> None:
        """RTCP: to a port beside that of its media, as often as not."""
        host = peer_host(peer)
        for report in rtcp.parse(data):
            for other in self._owner.ports.values():
                source = other.sources.get(report.ssrc)
                if source is not None and source.peer and peer_host(source.peer) == host:
                    if isinstance(report, rtcp.SenderReport):
                        source.heard_report(report, now)
                    return
        self._stranger(peer, now)

    def _stranger(self, peer: int, now: float) -> None:
        if not self._strangers.count(peer):
            return
        expected = {source.peer for source in self._feeds} | self._owner.vehicles.senders
        blocked, close = self._strangers.judge(now, expected)
        for mad, seconds in blocked:
            logger.warning("flooding source blocked source=%s:%s seconds=%.0f", *peer_address(mad), seconds)
        if close:
            logger.warning("too many strangers, ports pass expected streams alone")
        if blocked or close:
            for port in self._owner.ports.values():
                port.shield.block(blocked, now, port.expected, close=close)

    # --- an SSRC nobody expects -----------------------------------------------------------------------------

    def _unknown(self, port: UdpPort, peer: int, ssrc: int, data: bytes, now: float, us: int) -> None:
        port.unknown += 1
        feed = self._candidate(port, peer, ssrc, us)
        if feed is None:
            self._stranger(peer, now)
            return
        stray = feed.stray
        if stray is None or ((stray.ssrc != ssrc or stray.peer != peer) and now - stray.since > 3 * STRAY_SECONDS):
            stray = feed.stray = Stray(ssrc, peer, now)
        if stray.ssrc != ssrc or stray.peer != peer:
            self._stranger(peer, now)
            return
        stray.count += 1
        stray.size += len(data)
        if stray.size <= STRAY_BYTES:
            stray.kept.append((data, us))
        else:
            self._stranger(peer, now)
        if now - stray.since < STRAY_SECONDS:
            return
        feed.stray = None
        logger.warning("another ssrc accepted channel=%s expected=%010d seen=%010d", feed.key.channel, feed.ssrc, ssrc)
        self.rename(feed, ssrc)
        feed.source.renew(ssrc, peer)
        for piece, arrived in stray.kept:
            self._take(feed, piece, now, arrived)

    def _candidate(self, port: UdpPort, peer: int, ssrc: int, us: int) -> Feed | None:
        """Who might be meant: the only one on the port, or the only silent one of this machine."""
        host = peer_host(peer)
        feeds = [feed for feed in self._on_port.get(port.number, ()) if feed.transport == UDP]
        silent = [feed for feed in feeds if not feed.started or feed.silent(us) > STRAY_SECONDS]
        near = [
            feed
            for feed in silent
            if (peer_host(feed.source.peer) == host if feed.source.peer else feed.hint in (0, host))
        ]
        for feed in near:
            if not feed.started:
                feed.other_ssrc = ssrc
        if len(feeds) == 1 and silent and not feeds[0].source.peer:
            feeds[0].other_ssrc = ssrc
            return feeds[0]
        exact = [feed for feed in near if feed.source.peer or feed.hint == host]
        return exact[0] if len(exact) == 1 else None

    # --- connections ----------------------------------------------------------------------------------------

    def expects(self, number: int) -> bool:
        """Whether any device was told to connect to this port."""
        return any(feed.transport == TCP_PASSIVE for feed in self._on_port.get(number, ()))

    def packets(self, connection: MediaConnection, packets: list[bytes]) -> None:
        """Packets of a connection, whole and in order."""
        source = connection.source
        us = self._owner.wall_us()
        now = self._owner.monotonic()
        for data in packets:
            if rtcp.is_rtcp(data[1]):
                continue
            span = payload_span(data, 0, len(data))
            if span is None:
                continue
            _, second, sequence, stamp, ssrc = HEADER.unpack_from(data)
            if source is None:
                feed = self._claim(connection, ssrc)
                if feed is None:
                    connection.close("nobody_expects_it")
                    return
                source = connection.source = feed.source
                source.hold_seconds = 0.0
            if source.next == sequence and second & 0x7F not in _G711_TYPES:
                source.next = (sequence + 1) & 0xFFFF
                if stamp != source.timestamp:
                    source.turn(stamp, us)
                source.parts.append(data[span[0] : span[1]])
                if second >= 0x80 or len(source.parts) >= PARTS:
                    source.marked(second >= 0x80, us)
                continue
            feed = self._feeds.get(source)
            if feed is None:
                connection.close("stream_closed")
                return
            if ssrc != feed.ssrc and not feed.started:
                feed.ssrc = source.ssrc = ssrc
            self._take(feed, data, now, us)

    def _claim(self, connection: MediaConnection, ssrc: int) -> Feed | None:
        """Whose connection is it: by SSRC, else the only one waiting on the port, or of this machine."""
        waiting = [
            feed
            for feed in self._on_port.get(connection.port, ())
            if feed.transport == TCP_PASSIVE and not feed.connected
        ]
        for feed in waiting:
            if feed.ssrc == ssrc:
                feed.connected = True
                return feed
        try:
            host = peer_host(peer_key(connection.peer[0], 0))
        except ValueError:
            host = 0
        near = [feed for feed in waiting if feed.hint == host] or [feed for feed in waiting if not feed.hint]
        if len(waiting) == 1:
            near = waiting
        for feed in near:
            feed.other_ssrc = ssrc
        if len(near) != 1:
            return None
        feed = near[0]
        logger.warning("another ssrc accepted channel=%s expected=%010d seen=%010d", feed.key.channel, feed.ssrc, ssrc)
        feed.connected = True
        return feed

    # --- rhythm ---------------------------------------------------------------------------------------------

    def expire(self, now: float, us: int) -> None:
        """Give up what is late; called every 50 ms."""
        for source in tuple(self._waiting):
            source.expire_held(now, us)
            if not source.holding:
                self._waiting.discard(source)

    def stop_floods(self, now: float, us: int) -> None:
        """Block expected sources that send far more than any camera; called while much comes in."""
        elapsed, self._floods_at = now - self._floods_at, now
        limit = max(_FLOOD_BURST, FEED_LIMIT * elapsed)
        for feed in tuple(self._feeds.values()):
            handled = feed.handled
            fresh, feed.flood_checked = handled - feed.flood_checked, handled
            port = self._owner.ports.get(feed.port)
            if fresh > limit and feed.transport == UDP and port is not None and feed.source.peer:
                feed.blocked = "gb_flood"
                port.shield.block([(feed.source.peer, BLOCK_SECONDS)], now, port.expected)
                feed.stream.tell(LOST, us, *feed.diagnosis())
        for number, peer in self._owner.vehicles.stop_floods(limit, us):
            port = self._owner.ports[number]
            port.shield.block([(peer, BLOCK_SECONDS)], now, port.expected)
