"""Pulls one RTSP camera for a media slot, for ever.

A try is judged on what comes out of it: packets that never arrive, or that never become a picture, end it as surely
as a refused request. Every failed start names its step. TCP is tried first, UDP where TCP brings nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safecity.drivers.rtsp.backoff import Backoff
from safecity.drivers.rtsp.translate import Deliver, TrackFeed
from safecity.kit.clock import Clock
from safecity.kit.errors import Param
from safecity.links.rtsp_client import HostPolicy, Player
from safecity.model.facts.media_calls import RtspSource
from safecity.model.values.media import VIDEO, StreamKey, Unit
from safecity.protocols.rtsp.client import Described, Failed, Playing
from safecity.protocols.rtsp.transport import RtspUrl, parse_rtsp_url

logger = logging.getLogger(__name__)

ReportState = Callable[[str, str, Mapping[str, Param]], None]
"""(state, step, params): state is `opening`, `running` or `lost`; step a code of the catalogue, empty while all is
well."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. packet: from PLAY to the first packet; picture: to the first picture; silence: between two pictures."""

    packet: float = 6.0
    picture: float = 15.0
    silence: float = 10.0
    start: float = 30.0
    report: float = 5.0
    tick: float = 0.1


@dataclass(slots=True)
class PullFigures:
    """Since the pull began; `transport` is what is used now."""

    packets: int = 0
    packets_lost: int = 0
    bytes: int = 0
    foreign: int = 0
    reconnects: int = 0
    transport: str = ""


class Attempt:
    """One session, from connecting to its end. A `Listener` of the link."""

    def __init__(
        self, url: RtspUrl, source: RtspSource, transport: str, deliver: Deliver, clock: Clock, patience: Patience,
        *, base_90k: int = 0, after_90k: int = 0, policy: HostPolicy | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._patience = patience
        self._deliver = deliver
        self._epoch_us = clock.now_us()
        self._base = base_90k
        self._after = after_90k
        self._hold = 0.0 if transport == "tcp" else 0.2
        self._player = Player(url, source.username, source.password, self, transport=transport, policy=policy)
        self._own_ssrc = secrets.randbits(32)
        self._began = clock.monotonic()
        self._playing_at: float | None = None
        self._picture_at: float | None = None
        self._report_at = 0.0
        self.feeds: list[TrackFeed] = []
        self.pictures = 0

    async def run(self) -> Failed:
        """How it ended."""
        task = asyncio.create_task(self._player.run())
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=self._patience.tick)
                if done:
                    return task.result()
                failed = self._look(self._clock.monotonic())
                if failed is not None:
                    return failed
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def described(self, described: Described) -> None:
        """See `Listener`."""
        self.feeds = [
            TrackFeed(
                track,
                self._unit,
                hold_seconds=self._hold,
                epoch_us=self._epoch_us,
                base_90k=self._base,
                after_90k=self._after,
            )
            for track in described.offer.tracks
        ]

    def playing(self, playing: Playing) -> None:
        """See `Listener`."""
        self._playing_at = self._clock.monotonic()
        if len(self.feeds) > 1 and all(stamp is not None for stamp in playing.rtp_times):
            base = self._base + (self._clock.now_us() - self._epoch_us) * 9 // 100
            for feed, stamp in zip(self.feeds, playing.rtp_times, strict=False):
                feed.anchor(stamp or 0, base)

    def media(self, track: int, control: bool, data: bytes) -> None:
        """See `Listener`."""
        if track >= len(self.feeds):
            return
        now = self._clock.monotonic()
        if control:
            self.feeds[track].control(data, now)
        else:
            self.feeds[track].packet(data, now, self._clock.now_us())

    def _unit(self, unit: Unit) -> None:
        if unit.track == VIDEO:
            self.pictures += 1
            self._picture_at = self._clock.monotonic()
        self._deliver(unit)

    def _look(self, now: float) -> Failed | None:
        """Once a tick: late packets, reports, and whether it comes on."""
        us = self._clock.now_us()
        for feed in self.feeds:
            feed.expire(now, us)
        if self._playing_at is not None and now >= self._report_at:
            self._report_at = now + self._patience.report
            for number, feed in enumerate(self.feeds):
                report = feed.report(self._own_ssrc, now)
                if report is not None:
                    self._player.send_control(number, report)
        return self._judge(now)

    def _judge(self, now: float) -> Failed | None:
        packets = sum(feed.figures.packets for feed in self.feeds)
        patience = self._patience
        if self._playing_at is None:
            return Failed("rtsp_timeout", {}) if now - self._began > patience.start else None
        if self._picture_at is not None:
            silent = now - self._picture_at
            return Failed("rtsp_silent", {"seconds": round(silent)}) if silent > patience.silence else None
        waited = now - self._playing_at
        foreign = sum(feed.figures.foreign for feed in self.feeds)
        if not packets and waited > patience.packet:
            return Failed("rtsp_no_packet", {"seconds": round(waited), "foreign": foreign})
        if waited > patience.picture:
            return Failed("rtsp_no_video", {"packets": packets, "reason": "no picture in the packets"})
        return None


class RtspPull:
    """`run` until cancelled. `figures` may be read at any time.

    deliver       takes each unit in decoding order per track, in the loop's thread
    report_state  is told of changes only
    policy        which addresses may be connected to; None: all
    resume_at     (now in microseconds) -> the media time at which a new session begins, so that time never goes back
                  over all sessions of the stream; None: this pull alone keeps it
    """

    def __init__(
        self,
        source: RtspSource,
        key: StreamKey,
        deliver: Deliver,
        report_state: ReportState,
        clock: Clock,
        *,
        policy: HostPolicy | None = None,
        resume_at: Callable[[int], int] | None = None,
        patience: Patience | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._source = source
        self._key = key
        self._deliver = deliver
        self._report_state = report_state
        self._clock = clock
        self._policy = policy
        self._patience = patience or Patience()
        self._backoff = backoff or Backoff(random.random)
        self._state = ("", "")
        self._resume_at = resume_at or self._own_time
        self._last_90k = 0
        self._last_us = clock.now_us()
        self._good_transport = ""
        self._past = PullFigures()
        self._attempt: Attempt | None = None

    @property
    def figures(self) -> PullFigures:
        """What came so far."""
        past = self._past
        feeds = self._attempt.feeds if self._attempt is not None else []
        return PullFigures(
            past.packets + sum(feed.figures.packets for feed in feeds),
            past.packets_lost + sum(feed.figures.lost for feed in feeds),
            past.bytes + sum(feed.figures.bytes for feed in feeds),
            past.foreign + sum(feed.figures.foreign for feed in feeds),
            past.reconnects,
            past.transport,
        )

    async def run(self) -> None:
        """For ever; a URL that is none is reported and waited out like any other failure."""
        self._tell("opening", "", {})
        while True:
            began = self._clock.monotonic()
            failed = await self._round()
            if self._attempt is not None and self._attempt.pictures:
                self._backoff.progressed(self._clock.monotonic() - began)
            self._settle()
            self._past.reconnects += 1
            self._tell("lost", failed.step or "rtsp_closed", failed.params)
            await asyncio.sleep(self._backoff.next(failed.step))

    async def _round(self) -> Failed:
        """One try, or two where the transport is ours to choose. The failure that says most."""
        try:
            url = parse_rtsp_url(self._source.url)
        except ValueError:
            return Failed("rtsp_url", {})
        wanted = self._source.transport
        order = [wanted] if wanted in ("tcp", "udp") else ["tcp", "udp"]
        if self._good_transport in order:
            order = [self._good_transport, *(one for one in order if one != self._good_transport)]
        failed = Failed("rtsp_closed", {})
        for number, transport in enumerate(order):
            if number:
                self._settle()
            failed = await self._try(url, transport)
            if (self._attempt is not None and self._attempt.pictures) or not may_be_the_transport(failed):
                break
        return failed

    async def _try(self, url: RtspUrl, transport: str) -> Failed:
        self._past.transport = transport
        self._attempt = Attempt(
            url,
            self._source,
            transport,
            self._unit,
            self._clock,
            self._patience,
            base_90k=self._resume_at(self._clock.now_us()),
            after_90k=self._last_90k,
            policy=self._policy,
        )
        return await self._attempt.run()

    def _unit(self, unit: Unit) -> None:
        if unit.track == VIDEO and self._state[0] != "running":
            self._good_transport = self._past.transport
            self._tell("running", "", {})
        self._last_us = unit.arrived_us
        self._deliver(unit)

    def _settle(self) -> None:
        """Keep the figures and the clock of a session that is over."""
        if self._attempt is None:
            return
        self._past = self.figures
        self._last_90k = max((feed.last_90k for feed in self._attempt.feeds), default=self._last_90k)
        self._attempt = None

    def _own_time(self, now_us: int) -> int:
        return self._last_90k + max(0, now_us - self._last_us) * 9 // 100

    def _tell(self, state: str, step: str, params: Mapping[str, Param]) -> None:
        if (state, step) == self._state:
            return
        self._state = (state, step)
        channel, quality = self._key
        if state == "lost":
            logger.warning("rtsp stream lost channel=%s quality=%s step=%s", channel, quality, step)
        elif state == "running":
            logger.info("rtsp stream runs channel=%s quality=%s", channel, quality)
        self._report_state(state, step, params)


def may_be_the_transport(failed: Failed) -> bool:
    """Whether the other transport could bring what this one did not."""
    if failed.step == "rtsp_refused":
        return failed.params.get("method") in ("SETUP", "PLAY")
    return failed.step in ("rtsp_no_packet", "rtsp_no_ports", "rtsp_bad_answer", "rtsp_closed")
