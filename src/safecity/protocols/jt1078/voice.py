"""The sound of one channel of a terminal: G.711 and AAC as they are, G.726 and ADPCM made into G.711 A-law.

What cannot be heard is left out, and counted by its reason in `left_out`:

incomplete     a piece of the packet is missing
too_short      less than two milliseconds, or nothing behind the head
too_long       more than a second
too_fast       more than half as much again as there is time for, and more than a second at once
no_room        the process decodes as many streams of G.726 as it may already
rate_unknown   G.726 before its rate is known
bad_step       ADPCM whose step index is beyond 88
type_changed   another payload type than before; after some in a row it counts
unsupported    a codec that is not carried, named in `unsupported`
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from safecity.model.values.media import Codec
from safecity.protocols.jt1078.packets import PayloadType
from safecity.protocols.sound import g726, ima
from safecity.protocols.sound.g711 import alaw
from safecity.protocols.sound.rate import RateWatch
from safecity.protocols.sound.room import SAMPLES, Allowance, SoundRoom

SETTLED: Final = 8
"""So many packets of another payload type in a row are no slip: each change begins a new run of the stream."""
MAX_HELD: Final = 8
_SHORTEST: Final = 16
"""Samples."""
_PLAIN: Final = {
    PayloadType.G711A: Codec.PCMA,
    PayloadType.G711U: Codec.PCMU,
    PayloadType.AAC: Codec.AAC,
}
_CODED: Final = (PayloadType.G726, PayloadType.ADPCM)
NAMES: Final = {8: "G.726", 25: "MP3", 26: "ADPCM", 100: "AVS", 101: "SVAC"}


class Heard(NamedTuple):
    """A piece of sound that the media plane carries."""

    codec: Codec
    timestamp_ms: int | None
    data: bytes


def plain_sound(data: bytes) -> bytes:
    """Sound without the four bytes `00 01 len 00` (length in 16-bit words) that chips of one maker put in front."""
    return data[4:] if len(data) > 4 and data[:2] == b"\0\1" and data[3] == 0 and data[2] * 2 == len(data) - 4 else data


class Voice:
    """Packets of sound in, in the order they came. `aal2`: the terminal packs G.726 with its first sample in the
    highest bits of a byte (ITU-T I.366.2), not in the lowest (RFC 3551), as nearly all do; nothing in a packet says
    which."""

    def __init__(self, room: SoundRoom, aal2: bool = False) -> None:
        self.left_out: Counter[str] = Counter()
        self.unsupported = ""
        self._room = room
        self._aal2 = aal2
        self._allowance = Allowance()
        self._type: int | None = None
        self._next: int | None = None
        self._seen = 0
        self._rate = RateWatch()
        self._state = g726.new_state()
        self._bits = 0
        self._held: list[tuple[int | None, bytes]] = []
        self._low_first = False
        self._order_is_open = True
        self._ends: dict[bool, ima.State] = {}

    def take(
        self, payload_type: int, data: bytes, timestamp_ms: int | None, damaged: bool, arrived_us: int
    ) -> list[Heard]:  # fmt: skip
        """What can be heard now."""
        if not self._is_settled(payload_type):
            return self._without("type_changed")
        plain = _PLAIN.get(payload_type)  # pyright: ignore[reportArgumentType, reportCallIssue]
        if plain is not None:
            data = data if plain is Codec.AAC else plain_sound(data)
            return [Heard(plain, timestamp_ms, data)] if data else self._without("too_short")
        if payload_type not in _CODED:
            self.unsupported = NAMES.get(payload_type, str(payload_type))
            return self._without("unsupported")
        if damaged:
            self._ends = {}
            return self._without("incomplete")
        if len(data) > SAMPLES:
            return self._without("too_long")
        if payload_type == PayloadType.ADPCM:
            return self._adpcm(data, timestamp_ms, arrived_us)
        return self._g726(plain_sound(data), timestamp_ms, arrived_us)

    def _without(self, reason: str) -> list[Heard]:
        self.left_out[reason] += 1
        return []

    def _is_settled(self, payload_type: int) -> bool:
        if self._type is None or payload_type == self._type:
            self._type, self._seen = payload_type, 0
            return True
        self._seen = self._seen + 1 if payload_type == self._next else 1
        self._next = payload_type
        if self._seen < SETTLED:
            return False
        self._type, self._seen = payload_type, 0
        return True

    def _may(self, samples: int, arrived_us: int) -> str:
        """Why not."""
        if samples < _SHORTEST:
            return "too_short"
        if samples > SAMPLES:
            return "too_long"
        if not self._allowance.take(samples, arrived_us):
            return "too_fast"
        return ""

    # --- G.726 ----------------------------------------------------------------------------------------------

    def _g726(self, data: bytes, timestamp_ms: int | None, arrived_us: int) -> list[Heard]:
        if len(data) * 4 < _SHORTEST:
            return self._without("too_short")
        self._rate.add(len(data), timestamp_ms, arrived_us)
        self._held.append((timestamp_ms, data))
        bits = self._rate.bits
        if bits is None:
            if len(self._held) > MAX_HELD:
                del self._held[0]
                self.left_out["rate_unknown"] += 1
            return []
        if bits != self._bits:
            self._bits, self._state = bits, g726.new_state()
        held, self._held = self._held, []
        heard: list[Heard] = []
        for stamp, one in held:
            why = self._may(len(one) * 8 // bits, arrived_us)
            if not why and not self._room.has_place(self, arrived_us):
                why = "no_room"
            if why:
                self.left_out[why] += 1
            else:
                heard.append(Heard(Codec.PCMA, stamp, alaw(self._room.g726(self._state, one, bits, self._aal2))))
        return heard

    # --- ADPCM ----------------------------------------------------------------------------------------------

    def _adpcm(self, data: bytes, timestamp_ms: int | None, arrived_us: int) -> list[Heard]:
        inner = plain_sound(data)
        state = ima.state_of(inner)
        if state is None and inner is not data:  # what looked like that maker's head may be the state itself
            inner, state = data, ima.state_of(data)
        samples = (len(inner) - ima.HEAD) * 2
        why = "bad_step" if state is None and samples >= _SHORTEST else self._may(samples, arrived_us)
        if why or state is None:
            self._ends = {}
            return self._without(why)
        self._learn_order(state)
        data = inner[ima.HEAD :]
        wave, end = ima.decode(state, data, self._low_first)
        self._ends = {self._low_first: end}
        if self._order_is_open:
            self._ends[not self._low_first] = ima.decode(state, data, not self._low_first)[1]
        return [Heard(Codec.PCMA, timestamp_ms, alaw(wave))]

    def _learn_order(self, state: ima.State) -> None:
        """A packet begins where the one before it ends, if that was read in the right order."""
        fitting = [order for order, end in self._ends.items() if end == state]
        if self._ends and not fitting:
            self._order_is_open = True  # something was lost, or it was read wrongly
        elif len(fitting) == 1 and len(self._ends) == 2:
            self._low_first, self._order_is_open = fitting[0], False
