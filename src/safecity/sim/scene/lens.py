"""Where a simulated camera looks: pan, tilt and zoom, presets, cruises and scans, moved by the time that passes.

Everything is a function of the times the caller tells; there is no clock inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PAN_LIMIT, TILT_LIMIT = 30.0, 17.0
"""Degrees either side of the middle that the painted world covers."""
ZOOM_LIMIT = 8.0
FULL_SPEED = 45.0
"""Degrees per second of a PTZ command at full speed (0xFF); zoom doubles each second at full speed."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees right of and above the middle, magnification 1 to 8; focus and iris from -1 to 1, 0 is right."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 1.0
    focus: float = 0.0
    iris: float = 0.0

    def within(self) -> Pose:
        """The nearest pose the mechanics can take."""
        return Pose(
            min(max(self.pan, -PAN_LIMIT), PAN_LIMIT),
            min(max(self.tilt, -TILT_LIMIT), TILT_LIMIT),
            min(max(self.zoom, 1.0), ZOOM_LIMIT),
            min(max(self.focus, -1.0), 1.0),
            min(max(self.iris, -1.0), 1.0),
        )


@dataclass(frozen=True, slots=True)
class Drive:
    """Speeds, each from -1 to 1: right, up, closer, far, open are positive."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    focus: float = 0.0
    iris: float = 0.0


@dataclass(frozen=True, slots=True)
class Preset:
    """A pose with a number and a name."""

    number: int
    name: str
    pose: Pose


@dataclass(slots=True)
class Cruise:
    """Presets in turn; dwell in seconds."""

    points: list[int]
    dwell: float = 5.0


class Lens:
    """The moving head of one camera. Without PTZ (`fixed`) every command is swallowed, as fixed cameras do."""

    def __init__(self, *, fixed: bool = False) -> None:
        self.pose = Pose()
        self.fixed = fixed
        self.presets: dict[int, Preset] = {}
        self.cruises: dict[int, Cruise] = {}
        self.home = Preset(0, "home", Pose())
        self.scan_limits = (-PAN_LIMIT / 2, PAN_LIMIT / 2)
        self.wiper = False
        self.commands = 0
        self._drive = Drive()
        self._goal: Pose | None = None
        self._cruise: tuple[int, int, float] | None = None  # group, point, when to leave it
        self._scan = 0.0
        self._at: float | None = None

    def drive(self, drive: Drive, now: float) -> None:
        """Move with these speeds until told otherwise; `Drive()` stops cruise and scan too."""
        self.advance(now)
        self.commands += 1
        if self.fixed:
            return
        self._drive, self._goal, self._cruise, self._scan = drive, None, None, 0.0

    def go_to(self, pose: Pose, now: float) -> None:
        """Turn towards a pose at full speed."""
        self.advance(now)
        self.commands += 1
        if not self.fixed:
            self._drive, self._goal, self._cruise, self._scan = Drive(), pose.within(), None, 0.0

    def set_preset(self, number: int, name: str = "") -> None:
        """Remember the present pose."""
        self.presets[number] = Preset(number, name or f"Preset {number}", self.pose)

    def call_preset(self, number: int, now: float) -> bool:
        """False where there is no such preset."""
        preset = self.presets.get(number)
        if preset is None:
            return False
        self.go_to(preset.pose, now)
        return True

    def start_cruise(self, group: int, now: float) -> None:
        """Begin at the first point; an empty group does nothing."""
        cruise = self.cruises.get(group)
        if self.fixed or cruise is None or not cruise.points:
            return
        self.call_preset(cruise.points[0], now)
        self._cruise = (group, 0, now + cruise.dwell)

    def start_scan(self, now: float, speed: float = 0.3) -> None:
        """Swing between the scan limits."""
        self.drive(Drive(), now)
        self._scan = 0.0 if self.fixed else speed

    def advance(self, now: float) -> Pose:
        """Let time pass up to `now` (monotonic seconds); answers the pose."""
        elapsed = 0.0 if self._at is None else max(0.0, min(now - self._at, 1.0))
        self._at = now
        if self._cruise is not None:
            self._cruise_on(self._cruise, now)
        if self._goal is not None:
            self._approach(self._goal, elapsed)
        elif self._scan:
            self._swing(elapsed)
        elif self._drive != Drive():
            drive, pose = self._drive, self.pose
            degrees = FULL_SPEED * elapsed / pose.zoom
            self.pose = Pose(
                pose.pan + drive.pan * degrees,
                pose.tilt + drive.tilt * degrees,
                pose.zoom * 2.0 ** (drive.zoom * elapsed),
                pose.focus + drive.focus * elapsed,
                pose.iris + drive.iris * elapsed,
            ).within()
        return self.pose

    def _cruise_on(self, cruise: tuple[int, int, float], now: float) -> None:
        group, point, leave_at = cruise
        tour = self.cruises.get(group)
        if tour is None or not tour.points or now < leave_at:
            return
        point = (point + 1) % len(tour.points)
        preset = self.presets.get(tour.points[point])
        if preset is not None:
            self._goal = preset.pose
        self._cruise = (group, point, now + tour.dwell)

    def _approach(self, goal: Pose, elapsed: float) -> None:
        step, pose = FULL_SPEED * elapsed, self.pose
        factor = 2.0 ** (2 * elapsed)
        zoom = min(pose.zoom * factor, goal.zoom) if goal.zoom > pose.zoom else max(pose.zoom / factor, goal.zoom)
        self.pose = Pose(
            pose.pan + min(max(goal.pan - pose.pan, -step), step),
            pose.tilt + min(max(goal.tilt - pose.tilt, -step), step),
            zoom,
            goal.focus,
            goal.iris,
        )
        if self.pose == goal:
            self._goal = None

    def _swing(self, elapsed: float) -> None:
        left, right = self.scan_limits
        pan = self.pose.pan + self._scan * FULL_SPEED * elapsed
        if (pan >= right and self._scan > 0) or (pan <= left and self._scan < 0):
            self._scan = -self._scan
        self.pose = replace(self.pose, pan=min(max(pan, -PAN_LIMIT), PAN_LIMIT))
