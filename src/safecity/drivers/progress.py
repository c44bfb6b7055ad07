"""Where a device's playback stands: its packets say nothing of the time they show, so it is reckoned from what was
asked of the device. Told the time."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.kit.clock import SECOND_US
from safecity.model.facts.signal_calls import StartDevicePlayback, SteerDevicePlayback


@dataclass(slots=True)
class Progress:
    """One session over [start, end), microseconds UTC. `begun` when the first picture came; monotonic seconds."""

    start: int
    end: int
    scale: float = 1.0
    paused: bool = False
    _base: int = -1
    _since: float | None = None

    def begun(self, now: float) -> None:
        """Pictures come; heard only once."""
        if self._since is None:
            self._since = now

    def at(self, now: float) -> int:
        """The moment that is shown now, within the window."""
        base = self._base if self._base >= 0 else self.start
        if self._since is not None and not self.paused:
            base += round((now - self._since) * self.scale * SECOND_US)
        return min(max(base, self.start), self.end)

    def seek(self, seconds: float, now: float) -> None:
        """Asked to go on from there, counted from the start of the window."""
        self._stand(self.start + round(seconds * SECOND_US), now)

    def pause(self, now: float) -> None:
        self._stand(self.at(now), now)
        self.paused = True

    def resume(self, now: float) -> None:
        self._stand(self.at(now), now)
        self.paused = False

    def play_at(self, scale: float, now: float) -> None:
        """Another speed, backwards below 0; it also ends a pause."""
        self._stand(self.at(now), now)
        self.scale, self.paused = scale, False

    def steered(self, request: SteerDevicePlayback, scale: float, now: float) -> None:
        """The device does what was asked, at `scale` from then on."""
        match request.action:
            case "pause":
                self.pause(now)
            case "resume":
                self.resume(now)
                self.play_at(scale, now)
            case "seek":
                self.seek(request.value, now)
            case "scale":
                self.play_at(scale, now)
            case _:
                pass

    def _stand(self, base: int, now: float) -> None:
        self._base = min(max(base, self.start), self.end)
        if self._since is not None:
            self._since = now


def progress_of(request: StartDevicePlayback) -> Progress:
    """Where nothing was shown yet of what is asked for."""
    return Progress(request.start, request.end, scale=float(request.download_speed or 1))
