"""Coded sound of vehicle terminals is heard or left out with a reason, and no state leaves its numbers."""

from __future__ import annotations

from safecity.protocols.jt1078.voice import Voice
from safecity.protocols.sound import ima
from safecity.protocols.sound.room import SoundRoom

_TYPES = (8, 26, 6, 7, 19, 25)
_STEPS = (0, 1, 20, 40, 40, 40, 500, 70_000)


def _packets(data: bytes) -> list[tuple[int, int, bool, bytes]]:
    """(payload type, milliseconds after the one before, damaged, payload): a head of two bytes, then its length."""
    found: list[tuple[int, int, bool, bytes]] = []
    at = 0
    while at + 3 <= len(data) and len(found) < 60:
        kind, size = data[at], data[at + 1] | (data[at + 2] & 15) << 8
        found.append((_TYPES[kind % 6], _STEPS[kind // 6 % 8], kind > 250, data[at + 3 : at + 3 + size]))
        at += 3 + size
    return found


def _written(kind: int, payloads: list[bytes]) -> bytes:
    return b"".join(bytes((24 + kind, len(one) & 0xFF, len(one) >> 8)) + one for one in payloads)


_ADPCM = ima.write_packet(ima.State(-300, 40), bytes(range(160)))
SEEDS = [
    _written(0, [bytes(range(160))] * 8),
    _written(0, [b"\0\1\x50\0" + b"\x77" * 160] * 8),
    _written(1, [_ADPCM, b"\0\1\x52\0" + _ADPCM, _ADPCM]),
    _written(0, [b"\xff" * 80] * 8) + _written(1, [_ADPCM] * 9) + _written(2, [b"\xd5" * 320] * 9),
]


def one_input(data: bytes) -> None:
    voice, now = Voice(SoundRoom(), aal2=bool(data[:1] > b"\x7f")), 0
    came = heard = 0
    for payload_type, step, damaged, payload in _packets(data):
        now += step
        came += 1
        for one in voice.take(payload_type, payload, now, damaged, now * 1000):
            assert one.data
            heard += 1
        assert len(voice._held) <= 8
        assert all(-0x8000 <= one <= 0x7FFF for one in (*voice._state[8:10], *voice._state[12:18]))
    assert heard + sum(voice.left_out.values()) + len(voice._held) == came
