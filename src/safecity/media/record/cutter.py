"""From units to chunks: where a chunk ends, where a run begins, and what the wall clock was. Pure.

A run is anchored once on the arrival of its first unit; from then on wall time follows the media clock, drawn towards
the arrivals by at most 500 ppm, so that a camera whose crystal drifts stays right over days and a jittering network
does not shake the timeline. A wall clock that is set begins a new run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment_head
from safecity.media.record.chunk import MAX_PAYLOAD, NO_KEY, Flag
from safecity.model.values.media import AUDIO, CLOCK_HZ, VIDEO, CodecParameters, Unit

MAX_MEDIA: Final = CLOCK_HZ
"""A chunk holds at most 1 s ..."""
MAX_BYTES: Final = 1 << 20
"""... or 1 MiB, unless one picture is larger."""
HOLE: Final = 2 * CLOCK_HZ
"""A media time that jumps further cuts the chunk, so that the hole shows."""
JUMP: Final = 10 * CLOCK_HZ
"""A media time that jumps further, or back, is another session: a new run."""
MAX_ERROR_US: Final = 10_000_000
_SLEW_PPM: Final = 500
_SNAP_US: Final = 50_000
_KEEP_TRACK: Final = 5 * CLOCK_HZ


@dataclass(slots=True)
class Cut:
    """One chunk to be. `begins_run`: an init segment of `parameters` goes before it."""

    begins_run: bool
    parameters: tuple[CodecParameters, ...]
    tracks: list[TrackSamples]
    wall: int
    duration: int
    media: int
    flags: int
    first_key: int
    size: int

    def parts(self, sequence: int) -> list[bytes]:
        """The payload: moof, head of mdat, then the samples, uncopied."""
        head = fragment_head(sequence, self.tracks)
        return [head, *(sample[0] for one in self.tracks for sample in one.samples)]

    @property
    def end(self) -> int:
        return self.wall + self.duration

    @property
    def mask(self) -> int:
        return sum(1 << one.track for one in self.tracks)


class Cutter:
    """One per stream; lives with the writer."""

    def __init__(self, *, backfilled: bool = False) -> None:
        self.refused = 0
        """Units too large for any chunk."""
        self.waiting = 0
        """Units before the first key frame of a run."""
        self._base_flags = int(Flag.BACKFILLED) if backfilled else 0
        self._parameters: dict[int, CodecParameters] = {}
        self._last: dict[int, int] = {}
        self._frame: dict[int, int] = {}
        self._incoming: dict[int, CodecParameters] = {}
        self._running = False
        self._decodable = False
        self._begins = False
        self._shift = 0
        self._stepped = False
        self._base_wall = 0
        self._base_dts = 0
        self._lead = VIDEO
        self._end: int | None = None
        self._error = 0
        self._clear()

    def end_run(self) -> None:
        """The session is over: the next unit begins a new run."""
        self._running = self._decodable = False
        self._parameters = {}
        self._incoming = {}
        self._last = {}

    def feed(self, units: Sequence[Unit], stepped_us: int = 0) -> list[Cut]:
        """All units that came since last time; every one that can be kept is in a cut on return.

        `stepped_us`: by how much the wall clock was set since the last call.
        """
        cuts: list[Cut] = []
        for at, unit in enumerate(units):
            size = len(unit.data)
            if size > MAX_PAYLOAD - (1 << 16):
                self.refused += 1
                continue
            if self._running and not self._continues(unit, stepped_us):
                self._flush(cuts)
                self._running = False
            if not self._running and not self._begin(units, at):
                self.waiting += 1
                continue
            track = unit.track
            if track not in self._parameters:
                self.waiting += 1  # sound that appeared within a group of pictures begins with the next key frame
                continue
            last = self._last.get(track)
            mine = self._samples.get(track)
            if self._size and (
                self._size + size > MAX_BYTES
                or (mine and unit.dts - mine[0].dts >= MAX_MEDIA)
                or (last is not None and unit.dts - last > HOLE)
            ):
                self._flush(cuts)
            self._take(unit, last)
        self._flush(cuts)
        return cuts

    # --- runs ------------------------------------------------------------------------------------------------

    def _continues(self, unit: Unit, stepped_us: int) -> bool:
        """Whether the unit belongs to the run under way."""
        track = unit.track
        known = self._parameters.get(track)
        if known is None:
            self._incoming[track] = unit.parameters
            if track == VIDEO and unit.is_key:
                return False  # pictures joined what was sound alone
        elif unit.parameters is not known:
            changed = unit.parameters != known
            self._parameters[track] = unit.parameters
            if changed:
                if track == self._lead:
                    return False
                self._incoming[track] = self._parameters.pop(track)
        if self._incoming and unit.is_key and track == self._lead == VIDEO:
            return False
        last = self._last.get(track)
        if last is not None and not 0 <= unit.dts - last <= JUMP:
            self.end_run()
            return False
        if track != self._lead:
            return True
        error = unit.arrived_us - self._wall(unit.dts)
        if stepped_us and abs(error - stepped_us) < abs(error):
            self._stepped = True
            return False
        return abs(error) <= MAX_ERROR_US

    def _begin(self, units: Sequence[Unit], at: int) -> bool:
        """Start a run here if one can start here: after silence with a key frame, where there is video."""
        unit = units[at]
        now = unit.dts
        known = {
            track: one for track, one in self._parameters.items() if now - self._last.get(track, now) < _KEEP_TRACK
        }
        known.update(self._incoming)
        for other in units[at:]:  # what else is in this batch belongs into the same init segment
            known.setdefault(other.track, other.parameters)
        lead = VIDEO if VIDEO in known else AUDIO
        if unit.track != lead or not (unit.is_key or self._decodable):
            return False
        known[unit.track] = unit.parameters
        self._parameters, self._incoming, self._lead = known, {}, lead
        self._running = self._begins = self._decodable = True
        self._base_wall, self._base_dts = unit.arrived_us, unit.dts
        self._shift = CLOCK_HZ - unit.dts if unit.dts < CLOCK_HZ else 0  # boxes know no time before zero
        self._last = {}
        self._end = None
        return True

    def _wall(self, dts: int) -> int:
        return self._base_wall + (dts - self._base_dts) * 100 // 9

    # --- chunks ------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._samples: dict[int, list[Unit]] = {}
        self._size = 0
        self._flags = self._base_flags
        self._error = MAX_ERROR_US

    def _take(self, unit: Unit, last: int | None) -> None:
        track = unit.track
        if last is not None and 0 < unit.dts - last <= HOLE:
            self._frame[track] = unit.dts - last
        self._samples.setdefault(track, []).append(unit)
        self._size += len(unit.data) + 1
        self._last[track] = unit.dts
        if unit.damaged:
            self._flags |= Flag.DAMAGED
        if track == self._lead:
            self._error = min(self._error, unit.arrived_us - self._wall(unit.dts), key=abs)

    def _flush(self, cuts: list[Cut]) -> None:
        if not self._samples:
            return
        lead = self._lead if self._lead in self._samples else next(iter(self._samples))
        wall = self._wall(self._samples[lead][0].dts) if lead == self._lead else self._samples[lead][0].arrived_us
        if self._end is not None and abs(wall - self._end) <= _SNAP_US:
            wall = self._end  # so that what touches touches
        first, last = self._samples[lead][0].dts, self._samples[lead][-1].dts + self._frame.get(lead, CLOCK_HZ // 25)
        end = max(wall, self._wall(last) if lead == self._lead else wall + (last - first) * 100 // 9)
        tracks: list[TrackSamples] = []
        first_key = NO_KEY
        for track in sorted(self._samples):
            units = self._samples[track]
            frame = self._frame.get(track, CLOCK_HZ // 25)
            following = [unit.dts for unit in units[1:]]
            following.append(units[-1].dts + frame)
            shift = self._shift
            samples = [
                Sample(unit.data, unit.dts + shift, unit.pts + shift, then - unit.dts, unit.is_key)
                for unit, then in zip(units, following, strict=True)
            ]
            tracks.append(TrackSamples(track, samples))
            if track == self._lead and first_key == NO_KEY:
                key = next((unit.dts for unit in units if unit.is_key), None)
                if key is not None:
                    first_key = max(0, self._wall(key) - wall)
        flags = self._flags | (Flag.KEY if first_key != NO_KEY else 0) | (Flag.CLOCK_STEPPED if self._stepped else 0)
        cuts.append(
            Cut(
                self._begins,
                tuple(self._parameters[track] for track in sorted(self._parameters)),
                tracks,
                wall,
                end - wall,
                first + self._shift,
                flags,
                first_key,
                self._size,
            )
        )
        self._begins = self._stepped = False
        self._end = end
        limit = (end - wall) * _SLEW_PPM // 1_000_000
        if abs(self._error) < MAX_ERROR_US:
            self._base_wall += max(-limit, min(limit, self._error))
        self._clear()
