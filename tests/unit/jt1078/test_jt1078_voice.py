"""The sound of a terminal through its packets: heard in each coding, and left out with a reason where it cannot be."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.unit.jt1078.test_jt1078_media import PHONE, h264_pictures, play, wired
from tests.unit.sound.test_sound_decoders import quality

from safecity.model.values.media import AUDIO, Codec, Unit
from safecity.protocols.jt1078.frames import packetise
from safecity.protocols.jt1078.packets import Kind, MediaPacket, PayloadType
from safecity.protocols.jt1078.voice import SETTLED, Voice, plain_sound
from safecity.protocols.sound import g726, ima
from safecity.protocols.sound.g711 import alaw
from safecity.protocols.sound.room import PLAIN_STREAMS, SoundRoom
from safecity.sim.encode import tone
from safecity.sim.jt808.load import SOUNDS
from safecity.sim.jt808.sounds import VehicleSound, vehicle_sound

START_MS = 1_700_000_000_000
CODED = [name for name in SOUNDS if vehicle_sound(name)[0] is not None]
FROM_ALAW = {alaw([value])[0]: value for value in range(-32_768, 32_768, 8)}


def said(frames: list[bytes], payload_type: int, step_ms: int = 40) -> list[MediaPacket]:
    """As a terminal sends them."""
    found: list[MediaPacket] = []
    for number, data in enumerate(frames):
        found += packetise(
            data, phone=PHONE, channel=1, kind=Kind.AUDIO, payload_type=payload_type, sequence=1000 + number,
            timestamp_ms=START_MS + number * step_ms,
        )  # fmt: skip
    return found


def frames_of(sound: VehicleSound, count: int = 50) -> list[bytes]:
    return [sound.frame(number * 40_000) for number in range(count)]


def samples_of(units: list[Unit]) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.array([FROM_ALAW[byte] for one in units for byte in one.data], np.int16)


def voice(**more: Any) -> Voice:
    return Voice(SoundRoom(), **more)


def take(heard: Voice, payload_type: int, data: bytes, at: int = 0, damaged: bool = False) -> int:
    """Bytes that can be heard of it."""
    told = heard.take(payload_type, data, START_MS + at, damaged, (START_MS + at) * 1000)
    return sum(len(one.data) for one in told)


@pytest.mark.parametrize("headed", [False, True])
@pytest.mark.parametrize("name", CODED)
def test_each_coding_is_heard_as_g711_beside_the_pictures(name: str, headed: bool) -> None:
    made, _ = vehicle_sound(name)
    assert made is not None
    made = VehicleSound(kbps=made.kbps, headed=headed)
    pictures = wired(h264_pictures()[:1])
    stream, units = play(pictures + said(frames_of(made), made.payload_type))
    heard = [one for one in units if one.track == AUDIO]
    assert {one.parameters.codec for one in heard} == {Codec.PCMA}
    assert sum(len(one.data) for one in heard) == 50 * 320, "nothing is lost while the rate is found out"
    assert not stream.voice.left_out
    assert [later.pts - one.pts for one, later in pairwise(heard[5:])] == [3600] * (len(heard) - 6)
    if made.kbps != 40:  # of which the coder at hand is none of the recommendation's
        least = {16: 4, 24: 9, 32: 13, 0: 13}[made.kbps]
        assert quality(samples_of(heard)[8000:], tone(8000)) > least


@pytest.mark.parametrize("kbps", [16, 32])
def test_a_terminal_that_packs_the_other_way_round_is_heard_when_that_is_known(kbps: int) -> None:
    made = VehicleSound(kbps=kbps, aal2=True)
    results = []
    for aal2 in (False, True):
        heard = voice(aal2=aal2)
        units = [
            one for at, data in enumerate(frames_of(made)) for one in heard.take(8, data, at * 40, False, at * 40_000)
        ]
        samples = np.array([FROM_ALAW[byte] for one in units for byte in one.data], np.int16)
        results.append(quality(samples[8000:], tone(8000)))
    assert results[1] > results[0] + 4


def test_adpcm_with_its_halves_the_other_way_round_is_found_out_by_where_packets_end() -> None:
    heard = voice()
    units = [
        one
        for at, data in enumerate(frames_of(VehicleSound(kbps=0, aal2=True)))
        for one in heard.take(26, data, at * 40, False, at * 40_000)
    ]
    samples = np.array([FROM_ALAW[byte] for one in units for byte in one.data], np.int16)
    assert quality(samples[8000:], tone(8000)) > 13


def test_the_head_of_one_maker_is_taken_off() -> None:
    assert plain_sound(b"\0\1\x50\0" + b"\xd5" * 160) == b"\xd5" * 160
    assert plain_sound(b"\0\1\x51\0" + b"\xd5" * 160) == b"\0\1\x51\0" + b"\xd5" * 160
    looks_like_it = ima.write_packet(ima.State(0x0100, 80), b"\xff\x80\xff" + b"\x37" * 157)
    assert take(voice(), PayloadType.ADPCM, looks_like_it) == 320, "what follows would be no state"


def test_sound_that_cannot_be_carried_is_named() -> None:
    stream, units = play(wired(h264_pictures()[:1]) + said([b"x" * 40] * 3, PayloadType.MP3))
    assert not [one for one in units if one.track == AUDIO]
    assert (stream.voice.unsupported, stream.voice.left_out) == ("MP3", {"unsupported": 3})


# --- what is wrong, and wicked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload_type", "data", "reason"),
    [
        (8, b"", "too_short"),
        (8, b"\0\1\0\0", "too_short"),
        (8, bytes(5000), "too_long"),
        (8, bytes(100_000), "too_long"),
        (26, b"", "too_short"),
        (26, bytes(4), "too_short"),
        (26, b"\0\0\x59\0" + bytes(160), "bad_step"),
        (26, b"\0\0\xff\0" + bytes(160), "bad_step"),
        (26, bytes(5000), "too_long"),
        (6, b"", "too_short"),
        (99, b"x" * 100, "unsupported"),
    ],
)
def test_what_is_wrong_is_left_out_with_a_reason_and_the_next_is_heard(
    payload_type: int, data: bytes, reason: str
) -> None:
    heard = voice()
    good = ima.write_packet(ima.State(0, 10), bytes(160)) if payload_type == 26 else bytes(160)
    if payload_type != 99:
        assert sum(take(heard, payload_type, good, at * 40) for at in range(6)) > 0
    assert take(heard, payload_type, data, 240) == 0
    assert heard.left_out == {reason: 1}
    if payload_type != 99:
        assert take(heard, payload_type, good, 280) > 0


def test_half_a_packet_is_left_out() -> None:
    heard = voice()
    assert sum(take(heard, 8, bytes(160), at * 40) for at in range(6)) == 6 * 320
    assert take(heard, 8, bytes(150), 240, damaged=True) == 0
    assert heard.left_out == {"incomplete": 1}


def test_payload_types_that_change_back_and_forth_begin_no_new_run() -> None:
    """Each would cut recordings and start viewers anew."""
    heard = voice()
    for number in range(400):
        take(heard, 6 if number % 2 == 0 else 7, b"\xd5" * 160, number * 40)
        told = heard.take(6, b"\xd5" * 160, START_MS, False, 0)
        assert [one.codec for one in told] == [Codec.PCMA]
    assert heard.left_out == {"type_changed": 200}
    for number in range(SETTLED - 1):
        assert take(heard, 7, b"\xff" * 160, number) == 0
    assert heard.take(7, b"\xff" * 160, START_MS, False, 0)[0].codec is Codec.PCMU, "one that stays is believed"


def test_ten_thousand_tiny_packets_cost_no_decoding() -> None:
    heard = voice()
    for number in range(10_000):
        assert take(heard, 8, b"\x77", number) == 0
        assert take(heard, 8, b"", number) == 0
    assert heard.left_out == {"too_short": 20_000}
    assert len(heard._held) == 0


def test_whoever_sends_more_sound_than_there_is_time_is_not_decoded() -> None:
    heard = voice()
    decoded = sum(take(heard, 8, bytes(2000), number // 50) for number in range(5000))
    assert decoded <= 8000 * 1.2
    assert heard.left_out["too_fast"] > 4900
    assert take(heard, 8, bytes(160), 60_000) == 320, "a stream that keeps time again is heard again"


def test_many_streams_together_stay_within_what_the_process_may_decode() -> None:
    room = SoundRoom()
    voices = [Voice(room) for _ in range(40)]
    heard = [0] * len(voices)
    for at in range(0, 4000, 40):
        for number, one in enumerate(voices):
            heard[number] += take(one, 8, bytes(160), at)
    assert sorted(heard)[-PLAIN_STREAMS:] == [100 * 320] * PLAIN_STREAMS, "who is decoded is so on and on"
    assert sum(heard) == PLAIN_STREAMS * 100 * 320
    assert sum(bool(one.left_out["no_room"]) for one in voices) == len(voices) - PLAIN_STREAMS


def test_sound_whose_rate_is_not_known_is_held_for_a_moment() -> None:
    heard = voice()
    for number in range(24):
        take(heard, 8, bytes(777), number * 40)
    assert len(heard._held) == 8
    assert heard.left_out == {"rate_unknown": 16}


@pytest.mark.parametrize("payload_type", [8, 26])
def test_noise_in_place_of_sound_is_decoded_or_left_out_without_complaint(payload_type: int) -> None:
    dice = random.Random(payload_type)
    frames = [dice.randbytes(dice.choice((0, 1, 3, 4, 5, 17, 80, 160, 164, 400))) for _ in range(400)]
    stream, units = play(wired(h264_pictures()[:1]) + said(frames, payload_type, 20), 20_000)
    assert [one.pts for one in units if one.track == AUDIO] == sorted(one.pts for one in units if one.track == AUDIO)
    assert sum(stream.voice.left_out.values()) + sum(one.track == AUDIO for one in units) >= 390


def test_the_names_of_the_simulated_terminals_are_those_that_are_offered() -> None:
    assert {vehicle_sound(name)[1] for name in SOUNDS} == {Codec.PCMA, Codec.PCMU, Codec.AAC}
    assert [g726.BITS[kbps] for kbps in (16, 24, 32, 40)] == [2, 3, 4, 5]
