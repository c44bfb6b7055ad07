"""One viewer of recordings: takes what the viewer says, sends what it needs, never more than a little ahead."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError
from safecity.media.door.connection import Connection
from safecity.media.door.messages import PICTURE, binary, init_messages
from safecity.media.playback.footage import Footage
from safecity.media.playback.retime import Line, Timed, sounds
from safecity.media.playback.search import Gap, Loaded, Searcher
from safecity.model.values.media import CLOCK_HZ, AudioParameters, CodecParameters
from safecity.model.values.ticket import Ticket

logger = logging.getLogger(__name__)

AHEAD_SECONDS: Final = 4.0
"""How much more than the viewer shows may be sent."""
ALL_PICTURES_SPEED: Final = 4.0
"""Above this only key frames are sent."""
MIN_SPEED, MAX_SPEED = 0.25, 16.0
EDGE_US: Final = 10 * SECOND_US
"""Nearer than this to the present, more footage is expected."""
RETRY_SECONDS: Final = 0.5
MAX_STILL: Final = 2 * CLOCK_HZ
STILLS_AT_ONCE: Final = 6
MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
"""A viewer that takes nothing gets nothing more, however often it jumps: its seeks must not fill the memory."""


@dataclass(frozen=True, slots=True)
class _Seek:
    at: int
    step: int = 0


class PlaybackSession:
    """A handler of one connection; its task lives as long as the connection.

    footage     the recordings of the ticket's channel and quality
    in_thread   runs a blocking function in the thread that reads files
    """

    def __init__(
        self,
        connection: Connection,
        ticket: Ticket,
        footage: Footage,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        clock: Clock,
        ended: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._on_end = ended
        self._ticket = ticket
        self._search = Searcher(footage, ticket.start)
        self._in_thread = in_thread
        self._clock = clock
        self._line = Line()
        self._wake = asyncio.Event()
        self._order: _Seek | None = None
        self._thumb: int | None = None
        self._playing = False
        self._direction = 1
        self._cursor = ticket.start
        self._stepped = False
        self._held: Timed | None = None
        self._init: object = None
        self._tracks: Sequence[CodecParameters] = ()
        self._shown_media = self._line.end
        self._shown_at = clock.monotonic()
        self._ended = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    # --- Handler ---

    def message(self, fields: Mapping[str, Any]) -> None:
        """`play`, `pause`, `seek`, `step`, `ahead`, `thumb`; others are ignored."""
        match fields["type"]:
            case "play":
                self._play(fields)
            case "pause":
                self._settle_shown()
                self._playing = False
            case "seek":
                self._seek(_whole(fields.get("at"), self._cursor))
            case "step":
                self._settle_shown()
                self._playing = False
                direction = -1 if fields.get("direction") == -1 else 1
                self._order = _Seek(self._bounded(_whole(fields.get("at"), self._cursor)), direction)
            case "ahead":
                buffered = max(0, min(_whole(fields.get("ms"), 0), 60_000))
                self._shown_media, self._shown_at = self._line.end - buffered * 90, self._clock.monotonic()
            case "thumb":
                self._thumb = max(0, _whole(fields.get("at"), self._cursor))
            case _:
                return
        self._wake.set()

    def drained(self) -> None:
        """There is room again."""
        self._wake.set()

    def closed(self) -> None:
        """The viewer is gone."""
        self._task.cancel()
        ended, self._on_end = self._on_end, None
        if ended is not None:
            ended()

    # --- what the viewer wants ---

    def _play(self, fields: Mapping[str, Any]) -> None:
        speed = fields.get("speed", self._line.speed)
        speed = float(speed) if isinstance(speed, int | float) and speed == speed else 1.0
        speed = min(max(speed, MIN_SPEED), MAX_SPEED)
        direction = -1 if fields.get("direction", self._direction) == -1 else 1
        changed = speed != self._line.speed or direction != self._direction
        self._settle_shown()
        self._playing, self._ended = True, False
        at = fields.get("at")
        if changed or at is not None or self._stepped:
            self._line.cut()
            self._line.speed, self._direction = speed, direction
            self._seek(_whole(at, self._cursor))

    def _seek(self, at: int) -> None:
        self._ended = False
        self._order = _Seek(self._bounded(at))

    def _bounded(self, at: int) -> int:
        ticket = self._ticket
        at = max(at, ticket.start)
        return min(at, ticket.end - 1) if ticket.end else min(at, self._clock.now_us())

    @property
    def _stills(self) -> bool:
        return self._direction < 0 or self._line.speed > ALL_PICTURES_SPEED

    def _settle_shown(self) -> None:
        self._shown_media = self._shown_now()
        self._shown_at = self._clock.monotonic()

    def _shown_now(self) -> float:
        """Media time the viewer is at, as far as we know."""
        shown = float(self._shown_media)
        if self._playing:
            shown += (self._clock.monotonic() - self._shown_at) * CLOCK_HZ
        return min(shown, self._line.end)

    # --- the task ---

    async def _run(self) -> None:
        try:
            while True:
                await self._turn()
        except SafecityError as error:
            self._connection.end(error.code)
        except Exception:
            logger.exception("playback failed channel=%s", self._ticket.channel)
            self._connection.end("internal")

    async def _turn(self) -> None:
        self._wake.clear()
        if self._connection.waiting_bytes > MAX_WAITING_BYTES:
            await self._wake.wait()
        elif self._thumb is not None:
            asked, self._thumb = self._thumb, None
            await self._send_thumb(asked)
        elif self._order is not None:
            order, self._order = self._order, None
            await self._go(order)
        elif self._playing and not self._ended and not self._connection.full:
            ahead = (self._line.end - self._shown_now()) / CLOCK_HZ
            if ahead < AHEAD_SECONDS - 1.0:
                await (self._next_stills() if self._stills else self._next_clip())
            else:
                await self._sleep(ahead - AHEAD_SECONDS + 1.1)
        else:
            await self._wake.wait()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    # --- jumping ---

    async def _go(self, order: _Seek) -> None:
        near = self._near_now(order.at)
        search, direction = self._search, self._direction
        try:
            found = await self._in_thread(
                lambda: search.land(order.at, step=order.step, direction=direction, live=near)
            )
        except SafecityError as error:
            # What should be here cannot be read; playing goes on behind it, from a key frame.
            logger.warning("footage unreadable channel=%s at=%s why=%s", self._ticket.channel, order.at, error.code)
            self._init, self._cursor = None, order.at
            self._connection.say({"type": "position", "at": order.at, "media": self._line.end})
            return
        if self._order is not None:
            return  # overtaken by a newer wish
        self._line.cut()
        self._held = None
        self._stepped = bool(order.step)
        if found is None:
            self._cursor = order.at
            self._connection.say({"type": "position", "at": order.at, "media": self._line.end})
            await self._finish(order.at)
            return
        if found.gap is not None:
            self._say_gap(found.gap)
        self._begin(found.clips[0])
        media = self._line.end
        if self._stills:
            key = [one for clip in found.clips for one in clip.pictures() if one.sample.is_key][-1]
            sent = self._line.still(key, CLOCK_HZ // 5 if self._playing else MAX_STILL)
            self._cursor = key.wall
            target = key
        else:
            sent, media = self._up_to(found.clips, found.target, only=bool(order.step))
            target = found.target
        self._connection.say({"type": "position", "at": target.wall, "media": media})
        self._connection.send(sent)
        self._shown_media, self._shown_at = media, self._clock.monotonic()

    def _up_to(self, clips: Sequence[Loaded], target: Timed, *, only: bool) -> tuple[bytes, int]:
        """Everything from the key frame on to the clip of the target (`only`: to the target), and where that lies."""
        sent: list[bytes] = []
        media = self._line.end
        groups: list[tuple[Loaded, list[Timed]]] = []
        for loaded in clips:
            shown = loaded.pictures()
            while not groups and shown and not shown[0].sample.is_key:
                shown.pop(0)
            if only:
                shown = [one for one in shown if one.wall <= target.wall]
            if shown:
                groups.append((loaded, shown))
        for (loaded, shown), behind in itertools.zip_longest(groups, groups[1:]):
            heard = [] if only else [one for one in sounds(loaded.fragment) if one.dts >= shown[0].sample.dts]
            until = behind[1][0].sample.dts if behind else None
            sent.append(self._line.messages(shown, heard, self._sound, until))
            if shown[0].wall <= target.wall:
                media = self._line.place(target.sample.pts)
            self._cursor = target.wall if only else max(loaded.clip.end, self._cursor)
        if not only:
            self._cursor = clips[-1].clip.end
        return b"".join(sent), media

    # --- going on ---

    async def _next_clip(self) -> None:
        cursor, search = self._cursor, self._search
        got = await self._in_thread(lambda: search.following(cursor))
        if self._order is not None:
            return
        if got is None or (self._ticket.end and got[0].clip.start >= self._ticket.end):
            await self._finish(cursor)
            return
        loaded, gap = got
        self._cursor = max(loaded.clip.end, cursor + 1)
        shown = loaded.pictures()
        if gap is not None or loaded.clip.init != self._init:
            while shown and not shown[0].sample.is_key:
                shown.pop(0)
            self._line.cut()
        if not shown:
            return
        if gap is not None:
            self._say_gap(gap)
        self._begin(loaded)
        self._connection.send(self._line.messages(shown, sounds(loaded.fragment), self._sound))

    async def _next_stills(self) -> None:
        """Key frames only; each lasts as long as it is to the next one, so one is always held back."""
        cursor, direction, search = self._cursor, self._direction, self._search
        stills = await self._in_thread(lambda: search.stills(cursor, direction, STILLS_AT_ONCE))
        if self._order is not None:
            return
        first, bound = self._ticket.start, self._ticket.end
        stills = [one for one in stills if one[1].wall >= first and not (bound and one[1].wall >= bound)]
        if not stills:
            self._release(CLOCK_HZ // 2)
            await self._finish(cursor)
            return
        for loaded, picture in stills:
            if self._held is not None:
                self._release(round(abs(picture.wall - self._held.wall) * 9 / 100 / self._line.speed))
            self._begin(loaded)
            self._held = picture
            self._cursor = picture.wall

    def _release(self, lasts_90k: int) -> None:
        if self._held is not None:
            self._connection.send(self._line.still(self._held, min(lasts_90k, MAX_STILL)))
            self._held = None

    async def _finish(self, at: int) -> None:
        """Nothing more here: near the present more will come, else say so once and wait for a new wish."""
        if self._direction > 0 and not self._ticket.end and self._near_now(at):
            await self._sleep(RETRY_SECONDS)
            return
        self._ended = True
        self._connection.say({"type": "end_of_footage", "at": at})

    def _near_now(self, at: int) -> bool:
        return self._clock.now_us() - at < EDGE_US

    # --- saying ---

    @property
    def _sound(self) -> AudioParameters | None:
        return next((one for one in self._tracks if isinstance(one, AudioParameters)), None)

    def _begin(self, loaded: Loaded) -> None:
        """Tell the viewer the run's parameters where they are new to it."""
        if loaded.clip.init == self._init:
            return
        self._tracks, self._init = loaded.tracks, loaded.clip.init
        quality = str(self._ticket.quality)
        # Sound apart: where a jump, a still or a speed has pictures alone, MediaSource would wait for ever for the
        # sound that a track inside the fragments promised.
        told = init_messages(self._tracks, loaded.clip.start, self._line.end, quality, apart=True)
        self._connection.send(told)

    def _say_gap(self, gap: Gap) -> None:
        self._connection.say({"type": "gap", "start": gap.start, "end": gap.end, "cause": gap.cause})

    async def _send_thumb(self, asked: int) -> None:
        search, at = self._search, self._bounded(asked)
        picture = await self._in_thread(lambda: search.picture(at))
        if picture is not None:
            wall, whole = picture
            self._connection.send(binary(PICTURE, wall, asked, [whole]))


def _whole(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 2**53:
        return default
    return int(value)
