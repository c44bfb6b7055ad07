"""From units to chunks: where a chunk ends, where a run begins, and what the wall clock was. Pure.

A run is anchored once on the arrival of its first units, the least late of them; from then on wall time follows the
media clock, drawn towards the arrivals by at most 500 ppm, so that a camera whose crystal drifts stays right over days
and a jittering network does not shake the timeline. Where all of the first second was held up, what comes after it is
earlier than that clock says; nothing comes before it was taken, so that the clock is put right within seconds. A wall
clock that is set begins a new run.
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
_HELD_UP_PPM: Final = 40_000
"""Of a clock that is late for certain; less in a chunk than two that touch may be apart."""
_SNAP_US: Final = 50_000
_KEEP_TRACK: Final = 5 * CLOCK_HZ
ALONE_US: Final = 12_000_000
"""Sound without pictures is a run of its own only after so long: at the beginning of a stream it comes at once, and
the pictures with their first key frame, up to a group of pictures later."""
_LATE_US: Final = 10_000_000
"""What the system keeps of a stream while a slot is restarted is not older than this."""
_NEVER: Final = -(1 << 62)


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


class _Line:
    """One track of the run under way."""

    __slots__ = ("first", "frame", "last", "parameters", "units")

    def __init__(self, parameters: CodecParameters) -> None:
        self.parameters = parameters
        self.units: list[Unit] = []
        self.first = 0
        self.last = _NEVER
        self.frame = CLOCK_HZ // 25


class Cutter:
    """One per stream; lives with the writer."""

    def __init__(self, *, backfilled: bool = False) -> None:
        self.refused = 0
        """Units too large for any chunk."""
        self.waiting = 0
        """Units before the first key frame of a run."""
        self._base_flags = int(Flag.BACKFILLED) if backfilled else 0
        self._lines: dict[int, _Line] = {}
        self._incoming: dict[int, CodecParameters] = {}
        self._running = False
        self._decodable = False
        self._begins = False
        self._shift = 0
        self._stepped = False
        self._stepping = False
        self._continues_run = False
        self._alone_since: int | None = None
        self._base_wall = 0
        self._base_dts = 0
        self._lead = VIDEO
        self._end: int | None = None
        self._size = 0
        self._flags = self._base_flags

    def end_run(self) -> None:
        """The session is over: the next unit begins a new run."""
        for line in self._lines.values():
            line.last = _NEVER
        self._running = self._decodable = False
        self._alone_since = None
        self._incoming = {}

    def feed(self, units: Sequence[Unit], stepped_us: int = 0) -> list[Cut]:
        """All units that came since last time; every one that can be kept is in a cut on return.

        `stepped_us`: by how much the wall clock was set since the last call.
        """
        cuts: list[Cut] = []
        for at, unit in enumerate(units):
            line = self._lines.get(unit.track)
            if line is not None and line.units and unit.parameters is line.parameters and not stepped_us:
                # Nearly all units go this way; everything that could be remarkable goes the other.
                dts, size = unit.dts, len(unit.data)
                if (
                    0 < dts - line.last <= HOLE
                    and dts - line.first < MAX_MEDIA
                    and self._size + size <= MAX_BYTES
                    and not (unit.is_key and self._incoming)
                ):
                    line.units.append(unit)
                    line.last = dts
                    self._size += size
                    if unit.damaged:
                        self._flags |= Flag.DAMAGED
                    continue
            self._look_at(units, at, stepped_us, cuts)
        self._flush(cuts)
        return cuts

    def _look_at(self, units: Sequence[Unit], at: int, stepped_us: int, cuts: list[Cut]) -> None:
        unit = units[at]
        size = len(unit.data)
        if size > MAX_PAYLOAD - (1 << 16):
            self.refused += 1
            return
        if self._running and not self._continues(unit, stepped_us):
            self._flush(cuts)
            self._running = False
        if not self._running and not self._begin(units, at):
            self.waiting += 1
            return
        line = self._lines.get(unit.track)
        if line is None:
            self.waiting += 1  # sound that appeared within a group of pictures begins with the next key frame
            return
        hole = line.last != _NEVER and unit.dts - line.last > HOLE
        if self._size and (
            self._size + size > MAX_BYTES or (line.units and unit.dts - line.first >= MAX_MEDIA) or hole
        ):
            self._flush(cuts)
        if not line.units:
            line.first = unit.dts
            if 0 < unit.dts - line.last <= HOLE:
                line.frame = unit.dts - line.last  # all there is to go by where a chunk holds one picture
        line.units.append(unit)
        line.last = unit.dts
        self._size += size + 1
        if unit.damaged:
            self._flags |= Flag.DAMAGED

    # --- runs ------------------------------------------------------------------------------------------------

    def _continues(self, unit: Unit, stepped_us: int) -> bool:
        """Whether the unit belongs to the run under way."""
        track = unit.track
        line = self._lines.get(track)
        if line is None:
            self._incoming[track] = unit.parameters
            return not (track == VIDEO and unit.is_key)  # pictures joined what was sound alone
        if unit.parameters is not line.parameters:
            changed = unit.parameters != line.parameters
            line.parameters = unit.parameters
            if changed:
                if track == self._lead:
                    return False
                self._incoming[track] = unit.parameters
                if line.units:
                    return False  # what is collected has another meaning; the next picture begins anew
                del self._lines[track]
        if self._incoming and unit.is_key and track == self._lead == VIDEO:
            return False
        if line.last != _NEVER and not 0 <= unit.dts - line.last <= JUMP:
            self.end_run()
            return False
        if track != self._lead:
            return True
        error = unit.arrived_us - self._wall(unit.dts)
        if stepped_us and abs(error - stepped_us) < abs(error):
            self._stepping = True
            return False
        return abs(error) <= MAX_ERROR_US

    def _begin(self, units: Sequence[Unit], at: int) -> bool:
        """Start a run here if one can start here: after silence with a key frame, where there is video."""
        unit = units[at]
        now = unit.dts
        known = {track: one.parameters for track, one in self._lines.items() if abs(now - one.last) < _KEEP_TRACK}
        known.update(self._incoming)
        for other in units[at:]:  # what else is in this batch belongs into the same init segment
            known.setdefault(other.track, other.parameters)
        lead = VIDEO if VIDEO in known else AUDIO
        if unit.track != lead or not (unit.is_key or self._decodable):
            return False
        if lead != VIDEO and not self._decodable and not self._is_alone(unit):
            return False
        self._alone_since = None
        self._continues_run = not unit.is_key
        known[unit.track] = unit.parameters
        self._lines = {track: _Line(parameters) for track, parameters in known.items()}
        self._incoming, self._lead = {}, lead
        self._running = self._begins = self._decodable = True
        self._stepped, self._stepping = self._stepping, False
        self._base_wall, self._base_dts = _in_time(units, at), unit.dts
        self._shift = CLOCK_HZ - unit.dts if unit.dts < CLOCK_HZ else 0  # boxes know no time before zero
        self._end = None
        return True

    def _is_alone(self, unit: Unit) -> bool:
        """Whether sound has come for so long without pictures that none are to be waited for."""
        if self._alone_since is None:
            self._alone_since = unit.arrived_us
        return unit.arrived_us - self._alone_since >= ALONE_US

    def _wall(self, dts: int) -> int:
        return self._base_wall + (dts - self._base_dts) * 100 // 9

    # --- chunks ------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        for line in self._lines.values():
            line.units = []
        self._size = 0
        self._flags = self._base_flags

    def _flush(self, cuts: list[Cut]) -> None:
        full = {track: line for track, line in sorted(self._lines.items()) if line.units}
        if not full:
            return
        leads = self._lead in full
        lead = full[self._lead] if leads else next(iter(full.values()))
        wall = self._wall(lead.units[0].dts) if leads else lead.units[0].arrived_us
        tracks = [TrackSamples(track, self._samples(line)) for track, line in full.items()]
        length = (lead.units[-1].dts + lead.frame - lead.units[0].dts) * 100 // 9
        end = wall + max(0, length)
        if self._end is not None and abs(wall - self._end) <= _SNAP_US:
            wall = min(self._end, end)  # so that what touches touches
        first_key = NO_KEY
        if leads:
            key = next((unit.dts for unit in lead.units if unit.is_key), None)
            if key is not None:
                first_key = max(0, self._wall(key) - wall)
        flags = self._flags | (Flag.KEY if first_key != NO_KEY else 0) | (Flag.CLOCK_STEPPED if self._stepped else 0)
        if self._begins and self._continues_run:
            flags |= Flag.CONTINUES
        parameters = tuple(line.parameters for _, line in sorted(self._lines.items()))
        media = lead.units[0].dts + self._shift
        cuts.append(Cut(self._begins, parameters, tracks, wall, end - wall, media, flags, first_key, self._size))
        self._begins = self._stepped = False
        self._end = end
        if leads:
            # The least late of first and last: what the network held back says nothing about the camera's clock.
            errors = [unit.arrived_us - self._wall(unit.dts) for unit in (lead.units[0], lead.units[-1])]
            rate = _HELD_UP_PPM if max(errors) < -_SNAP_US else _SLEW_PPM
            limit = (end - wall) * rate // 1_000_000
            self._base_wall += max(-limit, min(limit, min(errors, key=abs)))
        self._clear()

    def _samples(self, line: _Line) -> list[Sample]:
        units, shift = line.units, self._shift
        if len(units) > 1 and 0 < (frame := units[-1].dts - units[-2].dts) <= HOLE:
            # Nobody knows how long the last one lasts. A lost picture makes an interval longer, never shorter.
            before = units[-2].dts - units[-3].dts if len(units) > 2 else frame
            line.frame = min(frame, before) if before > 0 else frame
        following = [unit[3] for unit in units[1:]]
        following.append(units[-1].dts + line.frame)
        return [
            Sample(data, max(0, dts + shift), max(0, pts + shift), then - dts, key)
            for (_, data, pts, dts, key, _, _, _), then in zip(units, following, strict=True)
        ]


def _in_time(units: Sequence[Unit], at: int) -> int:
    """When the unit would have come if nothing had held it up: as early as the least late of those behind it says.

    While a slot was away the system kept what came and hands it out at once: the first of a burst is late by all of it.
    """
    first = units[at]
    best, last = first.arrived_us, first.dts
    for unit in units[at + 1 :]:
        if unit.track != first.track:
            continue
        if not 0 < unit.dts - last <= HOLE:
            break
        last = unit.dts
        best = min(best, unit.arrived_us - (last - first.dts) * 100 // 9)
    return max(best, first.arrived_us - _LATE_US)
