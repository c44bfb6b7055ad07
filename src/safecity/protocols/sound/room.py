"""What all streams of a process share that have sound to decode: the decoder at hand, and how much it may decode."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final, Protocol

from safecity.protocols.sound import g726

SAMPLES: Final = 8000
"""A second of one stream."""
PLAIN_STREAMS: Final = 4
"""So many at once where nothing is compiled: each costs about 7 % of a core then."""
COMPILED_STREAMS: Final = 500
IDLE_US: Final = 5_000_000
"""After so long without sound a stream gives its place to another."""


class Decode(Protocol):
    """`g726.decode`, plain or compiled."""

    def __call__(
        self, state: array[int], data: bytes, out: array[int], bits: int, big: bool,
        levels: array[int], scales: array[int], speeds: array[int], lengths: bytes, /,
    ) -> int: ...  # fmt: skip


class Allowance:
    """Samples of one stream that may be decoded: half as many again as there is time for, and a second's at once."""

    def __init__(self) -> None:
        self._left = float(SAMPLES)
        self._at_us: int | None = None

    def take(self, samples: int, now_us: int) -> bool:
        """Whether that many may be decoded now."""
        passed = max(0, now_us - self._at_us) if self._at_us is not None else 0
        self._at_us = now_us
        self._left = min(SAMPLES, self._left + 1.5 * SAMPLES * passed / 1e6)
        if samples > self._left:
            return False
        self._left -= samples
        return True


class SoundRoom:
    """One per process. `wanted` is called once, when the first stream needs the decoder of G.726: whoever owns the
    process may then have it compiled, and hand that over with `use`."""

    def __init__(self, wanted: Callable[[], object] | None = None) -> None:
        self.streams = PLAIN_STREAMS
        self._seen_us: dict[object, int] = {}
        self._decode: Decode = g726.decode
        self._wanted = wanted

    def use(self, decode: Decode) -> None:
        """From now on: a stream in the middle goes on with it."""
        self._decode = decode
        self.streams = COMPILED_STREAMS

    def has_place(self, stream: object, now_us: int) -> bool:
        """Whether that stream may be decoded now. Who has a place keeps it as long as it sends: a hundred streams that
        shared four places would all be noise, and one that sends too much takes nobody's."""
        if stream not in self._seen_us and len(self._seen_us) >= self.streams:
            self._seen_us = {one: at for one, at in self._seen_us.items() if 0 <= now_us - at < IDLE_US}
            if len(self._seen_us) >= self.streams:
                return False
        self._seen_us[stream] = now_us
        return True

    def g726(self, state: array[int], data: bytes, bits: int, big: bool) -> array[int]:
        """The samples."""
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            wanted()
        out = array("h", bytes(len(data) * 8 // bits * 2))
        self._decode(state, data, out, bits, big, g726.LEVELS, g726.SCALES, g726.SPEEDS, g726.LENGTHS)
        return out
