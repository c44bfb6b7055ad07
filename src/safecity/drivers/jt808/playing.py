"""What people want of a terminal's own recordings, in its messages (JT/T 1078-2016, 5.6), and what it tells, in ours.
Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from safecity.drivers.progress import Progress
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.model.facts.signal_calls import (
    AskRecordings,
    DeviceRecording,
    StartDevicePlayback,
    SteerDevicePlayback,
)
from safecity.protocols.jt808.checks import parse_time, time_text
from safecity.protocols.jt808.video import Medium, PlaybackControl, Resource, StartPlayback

MOST: Final = 2000
"""Stretches in one answer; whoever wants more asks for a shorter time."""
MAIN: Final = 1
NORMAL, FAST = 0, 1
PLAY, PAUSE, FORWARD, BACKWARD, JUMP = 0, 1, 3, 4, 5
_SPEEDS: Final = {1: 1, 2: 2, 4: 3, 8: 4, 16: 5}
"""Times to their codes: there are no others."""
_END_SECONDS: Final = 10
"""A window that a terminal left so shortly before its end was played: recordings end at key frames."""


def started(request: StartDevicePlayback, number: int, host: str, ports: tuple[int, int]) -> StartPlayback:
    """0x9201; `ports` of TCP and of UDP."""
    speed = _possible(request.download_speed) if request.download_speed else 0
    return StartPlayback(
        host=host, tcp_port=ports[0], udp_port=ports[1], channel=number, medium=Medium.BOTH, stream=MAIN, storage=0,
        mode=FAST if speed > 1 else NORMAL, speed=_SPEEDS[speed] if speed > 1 else 0,
        begins=time_text(request.start), ends=time_text(request.end + SECOND_US - 1),
    )  # fmt: skip


def control_of(request: SteerDevicePlayback, number: int, progress: Progress) -> tuple[PlaybackControl, float]:
    """0x9202, and the speed from then on. InvalidError `gb_bad_speed` for one that terminals have not."""
    match request.action:
        case "pause":
            return PlaybackControl(channel=number, command=PAUSE), progress.scale
        case "resume":
            return PlaybackControl(channel=number, command=PLAY), 1.0
        case "seek":
            at = min(progress.start + round(max(0.0, request.value) * SECOND_US), progress.end)
            return PlaybackControl(channel=number, command=JUMP, position=time_text(at)), progress.scale
        case "scale":
            speed = _possible(abs(request.value))
            if request.value < 0:
                return PlaybackControl(channel=number, command=BACKWARD, speed=_SPEEDS[speed]), -float(speed)
            if speed == 1:
                return PlaybackControl(channel=number, command=PLAY), 1.0
            return PlaybackControl(channel=number, command=FORWARD, speed=_SPEEDS[speed]), float(speed)
        case _:
            raise InvalidError(f"no such act: {request.action[:40]!r}", code="gb_unknown_action")


def _possible(wanted: float) -> int:
    """The speed that terminals have next below it."""
    if not 1 <= wanted <= 16:
        raise InvalidError("speed", code="gb_bad_speed", params={"value": wanted})
    return max(speed for speed in _SPEEDS if speed <= wanted)


def is_over(progress: Progress, now: float, *, fetched: bool) -> bool:
    """Whether a terminal that hung up had sent all of it. Of what is fetched fast nobody knows how fast it comes."""
    return fetched or progress.at(now) >= progress.end - _END_SECONDS * SECOND_US


def tidy(told: Iterable[Resource], number: int, wish: AskRecordings) -> tuple[DeviceRecording, ...]:
    """In order of time, each stretch once (it is told for the main and the sub stream); those that do not say when they
    are cannot be played either, and what lies outside of what was asked is left out."""
    found: dict[tuple[int, int], DeviceRecording] = {}
    for one in sorted(told, key=lambda one: one.stream != MAIN):
        start, end = parse_time(one.begins), parse_time(one.ends)
        kind = "alarm" if one.alarms else "time"
        if start is None or end is None or start >= end or one.channel != number:
            continue
        if start < wish.end and end > wish.start and wish.kind in ("all", kind):
            found.setdefault((start, end), DeviceRecording(start=start, end=end, kind=kind, bytes=one.size))
    return tuple(found[place] for place in sorted(found)[:MOST])
