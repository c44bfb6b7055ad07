"""Pictures of vehicle terminals (JT/T 1078): whose connection it is, and what comes of its packets.

The protocol proves nothing: a packet names a terminal and one of its channels, and anybody can write that. So it counts
only where this platform ordered that channel of that terminal on that very port, and a connection speaks for one
terminal alone: for that of its first packet. Whoever comes from the address that the terminal is known by takes the
place of one who does not, never the other way round; of two of the same standing the one that sends keeps it.
Datagrams (`jt1078_udp`) of one sender are such a connection too, which nobody opens or closes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, Protocol

from safecity.kit.errors import ConflictError, ExhaustedError, InvalidError
from safecity.media.receive.batch import peer_address
from safecity.media.receive.compiling import compile_beside
from safecity.media.receive.feed import JT1078, JT1078_UDP, SessionRecord
from safecity.media.receive.tcp import MediaConnection
from safecity.media.receive.vehiclefeed import DatagramSource, Speaker, VehicleFeed
from safecity.media.streams import LOST, OPENING, RUNNING, Stream
from safecity.model.values.media import StreamKey, Unit
from safecity.protocols.jt1078.frames import MediaStream
from safecity.protocols.jt1078.order import PacketOrder
from safecity.protocols.jt1078.packets import MediaPacket, read_datagram
from safecity.protocols.sound.room import SoundRoom

logger = logging.getLogger(__name__)

SILENT_SECONDS: Final = 3.0
"""A connection that sent nothing for so long gives way to another of its terminal: the line of a vehicle breaks often,
and nobody tells its other end."""
_SHORT_DIGITS: Final = 12
"""Of a phone number written in six bytes: of a longer one they are the last."""
_MARK_DIGITS: Final = 8
"""Of a terminal's number, where a datagram of RTP has its SSRC."""


class Owner(Protocol):
    """What the vehicles need of the receiver."""

    def wall_us(self) -> int: ...
    def monotonic(self) -> float: ...


class Vehicles:
    """All feeds of terminals, by stream and by what packets name. Counters: `intruders` are connections that nobody
    expected or that named a terminal they have no part in, `foreign` packets of a connection that speaks for another.
    """

    def __init__(self, owner: Owner, loss_seconds: float) -> None:
        self._owner = owner
        self._loss_seconds = loss_seconds
        self._feeds: dict[StreamKey, VehicleFeed] = {}
        self._named: dict[tuple[str, int, str, int], VehicleFeed] = {}
        self._senders: dict[tuple[int, int], DatagramSource] = {}
        self.intruders = 0
        self.foreign = 0
        self.sounds = SoundRoom(lambda: compile_beside(self.sounds))

    def __len__(self) -> int:
        return len(self._feeds)

    # --- the table ------------------------------------------------------------------------------------------

    def expects(self, port: int) -> bool:
        """Whether any terminal was told to connect there."""
        return any(feed.port == port and feed.transport == JT1078 for feed in self._feeds.values())

    def marks(self, port: int) -> set[int]:
        """What stands in datagrams that are expected there, where others have an SSRC."""
        found: set[int] = set()
        for feed in self._feeds.values():
            if feed.port == port and feed.transport == JT1078_UDP:
                for digits in (12, 20):
                    found.add(int(feed.phone[-digits:].zfill(digits)[:_MARK_DIGITS], 16))
        return found

    def prepare(
        self, stream: Stream, phone: str, number: int, host: str, ports: Iterable[int], transport: str = JT1078,
        aal2: bool = False,
    ) -> int:  # fmt: skip
        """Expect that channel of that terminal; the port to tell it. What was expected for the stream is given up.

        InvalidError: no phone number or channel. ExhaustedError: there is no port. ConflictError: the channel is
        expected on each of them already.
        """
        digits = phone.lstrip("0")
        if not (phone.isascii() and phone.isdigit() and digits and 0 <= number <= 255):
            raise InvalidError(f"no channel of a terminal: {phone[:32]!r} {number}", code="invalid_terminal")
        self.forget(stream.key)
        numbers = tuple(ports)
        if not numbers:
            raise ExhaustedError("no media port", code="no_media_port")
        free = [port for port in numbers if (transport, port, _short(digits), number) not in self._named]
        if not free:
            raise ConflictError(
                "that channel is asked for on every port", code="too_many_streams", params={"limit": len(numbers)}
            )
        load = {port: sum(feed.port == port for feed in self._feeds.values()) for port in free}
        port = min(free, key=lambda one: load[one])
        now = self._owner.monotonic()
        feed = VehicleFeed(stream, digits, number, port, host, now, now, transport, aal2)
        self._feeds[stream.key] = feed
        self._named[feed.transport, port, _short(digits), number] = feed
        stream.tell(OPENING, self._owner.wall_us())
        return port

    def confirm(self, key: StreamKey) -> bool:
        """The terminal said yes. False where nothing was prepared."""
        feed = self._feeds.get(key)
        if feed is None:
            return False
        feed.confirmed, feed.progress = True, self._owner.monotonic()
        return True

    def forget(self, key: StreamKey) -> bool:
        """No more of it: its connection is closed where it carries nothing else. False where there was none."""
        feed = self._feeds.pop(key, None)
        if feed is None:
            return False
        self._named.pop((feed.transport, feed.port, _short(feed.phone), feed.number), None)
        self._let_go(feed, "stream_closed")
        return True

    def records(self) -> list[SessionRecord]:
        """For `Receiver.export_sessions`."""
        return [feed.record() for feed in self._feeds.values()]

    def _let_go(self, feed: VehicleFeed, reason: str) -> None:
        connection, feed.connection = feed.connection, None
        if connection is not None and not any(one.connection is connection for one in self._feeds.values()):
            connection.close(reason)

    # --- what comes -----------------------------------------------------------------------------------------

    def datagram(self, port: int, peer: int, data: bytes) -> bool:
        """A datagram that begins as a packet does. False where nobody expects it: whoever sent it is a stranger."""
        packet = read_datagram(data)
        if packet is None or (JT1078_UDP, port, _short(packet.phone), packet.channel) not in self._named:
            if packet is not None:
                self._note_other(port, packet, JT1078_UDP)
            return False
        sender = self._senders.get((port, peer))
        if sender is None or not sender.is_open:
            sender = DatagramSource(port, peer_address(peer))
        sender.datagrams += 1
        self.packets(sender, [packet])
        if sender.terminal and sender.is_open:
            self._senders[port, peer] = sender
        else:
            self._senders.pop((port, peer), None)
        return sender.is_open

    @property
    def senders(self) -> set[int]:
        """Where datagrams of expected streams come from."""
        return {peer for _, peer in self._senders}

    def stop_floods(self, limit: float, us: int) -> list[tuple[int, int]]:
        """(port, peer) of those who sent more datagrams than that since this was asked last. Their streams are lost."""
        found = [place for place, one in self._senders.items() if one.datagrams > limit]
        for one in self._senders.values():
            one.datagrams = 0
        for place in found:
            self._block(self._senders.pop(place), us)
        return found

    def _block(self, sender: DatagramSource, us: int) -> None:
        """It keeps its place for now: what of it lies in the buffer of the socket is nobody else's."""
        sender.close("flood")
        for feed in self._feeds.values():
            if feed.connection is sender:
                feed.blocked = "gb_flood"
                feed.stream.tell(LOST, us, *feed.diagnosis())

    def packets(self, connection: Speaker, packets: list[MediaPacket]) -> None:
        """Packets of a connection, in order; datagrams are put in order."""
        now, us = self._owner.monotonic(), self._owner.wall_us()
        for packet in packets:
            feed = self._named.get((connection.transport, connection.port, _short(packet.phone), packet.channel))
            if feed is None or feed.connection is not connection:
                if not self._may_speak(connection, packet) or feed is None or not self._claim(feed, connection, now):
                    self._turn_away(connection, packet, feed)
                    if not connection.is_open:
                        return
                    continue
                self._begin(feed, us)
            feed.packets += 1
            feed.heard = now
            if feed.media is not None:
                for one in feed.order.add(packet, now) if feed.order is not None else (packet,):
                    feed.media.add(one, us)

    @staticmethod
    def _may_speak(connection: Speaker, packet: MediaPacket) -> bool:
        return connection.terminal in ("", _short(packet.phone))

    def _claim(self, feed: VehicleFeed, connection: Speaker, now: float) -> bool:
        held = feed.connection
        if held is not None:
            known, same = feed.host == connection.peer[0], held.peer[0] == connection.peer[0]
            outranks = bool(feed.host) and known and not same
            outranked = bool(feed.host) and held.peer[0] == feed.host and not known
            if outranked or not (outranks or now - feed.heard > SILENT_SECONDS):
                return False
            self._let_go(feed, "taken_over")
        feed.connection = connection
        connection.terminal = _short(feed.phone)
        return True

    def _turn_away(self, connection: Speaker, packet: MediaPacket, feed: VehicleFeed | None) -> None:
        if connection.terminal:  # it has a part here, but not in this
            self.foreign += 1
            return
        self.intruders += 1
        if feed is not None:
            feed.intruders += 1
        self._note_other(connection.port, packet, connection.transport)
        if self.intruders & (self.intruders - 1) == 0:  # at 1, 2, 4, ...: a flood must not fill the log
            logger.warning(
                "media connection turned away from=%s terminal=%s channel=%s so_far=%d",
                connection.peer[0], packet.phone[:20], packet.channel, self.intruders,
            )  # fmt: skip
        connection.close("nobody_expects_it")

    def _note_other(self, port: int, packet: MediaPacket, transport: str) -> None:
        """For whoever waits there and hears nothing."""
        for one in self._feeds.values():
            if one.port != port or one.connection is not None or one.transport != transport:
                continue
            if _short(packet.phone) == _short(one.phone):
                one.other_number = packet.channel
            else:
                one.other = packet.phone[:20]

    def _begin(self, feed: VehicleFeed, us: int) -> None:
        """A connection of its own, from its first packet on: media time goes on where it was."""
        stream = feed.stream

        def first_unit(unit: Unit) -> None:
            media.deliver = stream.deliver
            stream.transport = feed.transport
            stream.tell(RUNNING, self._owner.wall_us())
            stream.deliver(unit)

        media = feed.media = MediaStream(first_unit, stream.resume_at(us), self.sounds, feed.aal2)
        feed.order = PacketOrder() if feed.transport == JT1078_UDP else None
        feed.seen_units = feed.seen_lost = feed.seen_left_out = 0

    def gone(self, connection: MediaConnection, reason: str) -> None:
        """A connection ended: nothing more will come on it, no need to wait for the loss."""
        for feed in self._feeds.values():
            if feed.connection is not connection:
                continue
            feed.connection = None
            logger.info("media connection ended channel=%s reason=%s", feed.key.channel, reason)
            if feed.stream.state in (RUNNING, OPENING):
                feed.stream.tell(LOST, self._owner.wall_us(), "jt_connection_closed", {"reason": reason})

    # --- rhythm ---------------------------------------------------------------------------------------------

    def watch(self, now: float, us: int) -> None:
        """Once a second: counters, and whether it comes on."""
        for feed in self._feeds.values():
            self._watch(feed, now, us)
        used = {feed.connection for feed in self._feeds.values()}
        self._senders = {place: one for place, one in self._senders.items() if one in used}

    def _watch(self, feed: VehicleFeed, now: float, us: int) -> None:
        stream, media = feed.stream, feed.media
        stream.packets += feed.packets - feed.seen_packets
        feed.seen_packets = feed.packets
        stream.sample(now)
        if media is not None:
            stream.packets_lost += media.frames.lost - feed.seen_lost
            feed.seen_lost = media.frames.lost
            self._tell_left_out(feed, media)
            if media.units != feed.seen_units:
                feed.seen_units = media.units
                feed.progress = now
                feed.blocked = ""
                if stream.state != RUNNING:
                    stream.tell(RUNNING, us)
                return
        waited_for = feed.progress if feed.confirmed or media is not None else feed.prepared + 30
        if now - waited_for > self._loss_seconds and stream.state != LOST:
            step, params = feed.diagnosis()
            stream.tell(LOST, us, step, {**params, "seconds": round(now - feed.progress)})

    @staticmethod
    def _tell_left_out(feed: VehicleFeed, media: MediaStream) -> None:
        """Sound that cannot be heard, at 1, 2, 4, ... packets."""
        reasons = media.voice.left_out
        so_far = reasons.total()
        if so_far.bit_length() > feed.seen_left_out.bit_length():
            told = " ".join(f"{why}={count}" for why, count in sorted(reasons.items()))
            logger.info("sound left out channel=%s %s codec=%s", feed.key.channel, told, media.voice.unsupported)
        feed.seen_left_out = so_far


def _short(phone: str) -> str:
    """What of a number is always there, whether it is written in six bytes or in ten."""
    return phone[-_SHORT_DIGITS:].lstrip("0") or "0"
