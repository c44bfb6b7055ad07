"""Program streams as devices write them: each tolerance of GB/T 28181 annex C that the field asks for."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.model.values.media import AUDIO, VIDEO, AudioParameters, Codec, Unit, VideoParameters
from safecity.protocols import aac
from safecity.protocols.mpegps import codes
from safecity.protocols.mpegps.demux import parse_map
from safecity.protocols.mpegps.mux import PsMuxer, pack_header, pes, stream_map, system_header
from safecity.protocols.mpegps.session import MediaSession
from safecity.protocols.nalbits import split_annex_b, split_lengths

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
H264 = (VECTORS / "h26x" / "two_slices_320x240.h264").read_bytes()
H265 = (VECTORS / "h26x" / "aud_320x240.h265").read_bytes()
FRAME = 3600


def pictures(data: bytes) -> list[bytes]:
    aud = b"\0\0\0\1\x09" if data is H264 else b"\0\0\0\1\x46\x01"
    return [aud + part for part in data.split(aud)[1:]]


def slices(picture: bytes, h265: bool = False) -> list[bytes]:
    drop = {32, 33, 34, 35} if h265 else {7, 8, 9}
    return [n for n in split_annex_b(picture) if ((n[0] >> 1 & 63) if h265 else n[0] & 31) not in drop]


class Run:
    """A session, and what it delivered."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.session = MediaSession(self.units.append)

    def picture(self, number: int, *pieces: bytes, boundary: bool = True) -> None:
        us = 1_000_000 + number * 40_000
        for piece in pieces:
            self.session.feed(piece, number * FRAME, us)
        if boundary:
            self.session.boundary(us)

    @property
    def video(self) -> list[Unit]:
        return [unit for unit in self.units if unit.track == VIDEO]

    @property
    def audio(self) -> list[Unit]:
        return [unit for unit in self.units if unit.track == AUDIO]


def packs(data: bytes = H264, *, audio: Codec | None = None, first: int = 0, **options: bool) -> list[bytes]:
    muxer = PsMuxer(Codec.H264 if data is H264 else Codec.H265, audio, **options)
    return [
        muxer.video(picture, first + number * FRAME, key=number % 6 == 0)
        for number, picture in enumerate(pictures(data))
    ]


def check(run: Run, data: bytes = H264, count: int = 12) -> None:
    """All pictures are there, whole, in order, at their time."""
    assert len(run.video) == count
    for number, (unit, picture) in enumerate(zip(run.video, pictures(data), strict=False)):
        assert split_lengths(unit.data) == slices(picture, data is H265)
        assert unit.is_key is (number % 6 == 0)
        assert unit.pts - run.video[0].pts == number * FRAME
        assert unit.dts == unit.pts
        assert not unit.damaged
        assert unit.arrived_us == 1_000_000 + number * 40_000
    assert len({id(unit.parameters) for unit in run.video}) == 1


# --- the wire --------------------------------------------------------------------------------------------------


def test_headers_are_written_as_the_standard_draws_them() -> None:
    head = pack_header(0, 50_000)
    assert head == bytes.fromhex("000001ba440004000401030d43f8")
    assert system_header({0xE0: Codec.H264})[:6] == bytes.fromhex("000001bb0009")
    section = stream_map({0xE0: Codec.H264, 0xC0: Codec.PCMA})
    assert section[:20] == bytes.fromhex("000001bc0012e0ff000000081be0000090c00000")
    assert codes.crc32_mpeg2(section) == 0
    assert parse_map(section) == {0xE0: 0x1B, 0xC0: 0x90}
    assert pes(0xE0, b"abc", 90_000)[:14] == bytes.fromhex("000001e0000b84800521 0005bf21".replace(" ", ""))


def test_the_crc_is_that_of_the_standard() -> None:
    assert codes.crc32_mpeg2(b"123456789") == 0x0376E6E7


def test_a_frame_above_64_kib_becomes_several_packets_with_one_time() -> None:
    wire = pes(0xE0, b"\x11" * 150_000, 1)
    assert wire.count(b"\0\0\1\xe0") == 3
    times = [wire[at + 7] & 0xC0 for at in range(len(wire)) if wire.startswith(b"\0\0\1\xe0", at)]
    assert times == [0x80, 0, 0]


@pytest.mark.parametrize("name", ["ffmpeg_h264.ps", "ffmpeg_h264_aac.ts", "ffmpeg_h265.ts"])
@pytest.mark.parametrize("step", [1, 47, 188, 1400, 100_000])
def test_what_another_writer_wrote_is_read_whole(name: str, step: int) -> None:
    data = (VECTORS / "mpegps" / name).read_bytes()
    run = Run()
    run.session.feed(data[:1400], 0, 1)
    for at in range(1400, len(data), step):
        run.session.feed(data[at : at + step], 0, 1)
    run.session.boundary(1)
    source = H265 if "h265" in name else H264
    assert len(run.video) >= 11  # the last picture of a TS is known to be whole only when the next begins
    for unit, picture in zip(run.video, pictures(source), strict=False):
        assert split_lengths(unit.data) == slices(picture, source is H265)
    assert [unit.pts for unit in run.video] == [90_000 + n * FRAME for n in range(len(run.video))]
    if "aac" in name:
        assert isinstance(run.audio[0].parameters, AudioParameters)
        assert run.audio[0].parameters.sample_rate == 16_000
        assert len(run.audio) > 5


# --- splits and carriers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [H264, H265], ids=["h264", "h265"])
def test_pictures_come_out_as_they_went_in(data: bytes) -> None:
    run = Run()
    for number, pack in enumerate(packs(data)):
        run.picture(number, pack)
    check(run, data)
    parameters = run.video[0].parameters
    assert isinstance(parameters, VideoParameters)
    assert (parameters.width, parameters.height) == (320, 240)


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_split_gives_the_same_units(seed: int) -> None:
    chance = random.Random(seed)
    run = Run()
    for number, pack in enumerate(packs(audio=Codec.PCMA)):
        cuts = sorted(chance.randrange(len(pack) + 1) for _ in range(chance.randrange(12)))
        run.picture(number, *(pack[a:b] for a, b in zip([0, *cuts], [*cuts, len(pack)], strict=True)))
    check(run)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 11, 13, 1400])
def test_every_step_gives_the_same_units(step: int) -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        run.picture(number, *(pack[at : at + step] for at in range(0, len(pack), step)))
    check(run)


@pytest.mark.parametrize("audio", [None, Codec.PCMA])
def test_the_short_way_gives_what_the_long_way_gives(audio: Codec | None) -> None:
    long, short = Run(), Run()
    muxer = PsMuxer(Codec.H264, audio)
    for number, picture in enumerate(pictures(H264) * 3):
        pack = muxer.video(picture, number * FRAME, key=number % 6 == 0)
        if audio and number % 2:
            pack += muxer.audio(b"\xd5" * 320, number * FRAME)
        if number == 7:
            pack = pack[:-30]
        if number == 14:
            long.session.lost()
            short.session.lost()
        long.picture(number, pack)
        short.session.whole(pack, number * FRAME, 1_000_000 + number * 40_000)
    assert len(short.video) > 30
    assert short.units == long.units


def test_no_boundary_at_all_costs_one_picture_of_delay() -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        run.picture(number, pack, boundary=False)
    assert len(run.video) == 11
    assert [unit.pts - run.video[0].pts for unit in run.video] == [n * FRAME for n in range(11)]


def test_a_boundary_in_the_midst_of_a_pes_packet_does_not_cut_it() -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        run.picture(number, pack[:200])
        run.picture(number, pack[200:])
    check(run)


# --- tolerances ------------------------------------------------------------------------------------------------


def test_without_a_stream_map_the_bytes_tell_the_codec() -> None:
    for data in (H264, H265):
        run = Run()
        for number, picture in enumerate(pictures(data)):
            run.picture(number, pack_header(number * FRAME) + pes(0xE0, picture, number * FRAME))
        check(run, data)


@pytest.mark.parametrize("said", [Codec.H265, Codec.MPEG4])
def test_a_stream_map_that_lies_is_not_believed(said: Codec) -> None:
    run = Run()
    for number, picture in enumerate(pictures(H264)):
        head = pack_header(number * FRAME) + stream_map({0xE0: said})
        run.picture(number, head + pes(0xE0, picture, number * FRAME))
    check(run)
    assert run.session.unsupported == ""


def test_a_bad_crc_of_the_map_is_no_reason() -> None:
    run = Run()
    section = bytearray(stream_map({0xE0: Codec.H264, 0xC0: Codec.PCMU}))
    section[-1] ^= 0xFF
    for number, picture in enumerate(pictures(H264)):
        pack = pack_header(0) + bytes(section) + pes(0xE0, picture, number * FRAME) + pes(0xC0, b"\x7f" * 80, 0)
        run.picture(number, pack)
    check(run)
    assert run.audio[0].parameters == AudioParameters(Codec.PCMU, 8000, 1)


def test_a_pes_packet_of_length_zero_ends_with_the_next_start_code_or_the_picture() -> None:
    run = Run()
    for number, picture in enumerate(pictures(H264)):
        head = pes(0xE0, picture, number * FRAME)
        run.picture(number, pack_header(0) + head[:4] + b"\0\0" + head[6:])
    check(run)


def test_a_pes_length_that_lost_its_upper_bits_is_seen_through() -> None:
    big = b"\0\0\0\1\x65\x88" + bytes(random.Random(1).randrange(4, 256) for _ in range(70_000))
    sets = b"".join(b"\0\0\0\1" + nal for nal in split_annex_b(pictures(H264)[0]) if nal[0] & 31 in (7, 8))
    run = Run()
    for number in range(3):
        body = sets + big
        length = (len(body) + 8) & 0xFFFF
        head = b"\0\0\1\xe0" + length.to_bytes(2, "big") + pes(0xE0, b"", number * FRAME)[6:]
        run.picture(number, pack_header(0) + head + body)
    assert [len(unit.data) for unit in run.video] == [len(big)] * 3


def test_a_pes_length_that_is_too_long_costs_one_picture_and_not_the_next() -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        if number == 3:
            at = pack.index(b"\0\0\1\xe0") + 4
            pack = pack[:at] + b"\xff\xff" + pack[at + 2 :]
        run.picture(number, pack)
    assert len(run.video) == 12


def test_a_large_frame_in_several_pes_packets_is_one_unit() -> None:
    sets = b"".join(b"\0\0\0\1" + nal for nal in split_annex_b(pictures(H264)[0]) if nal[0] & 31 in (7, 8))
    big = b"\0\0\0\1\x65\x88" + bytes(random.Random(2).randrange(4, 256) for _ in range(200_000))
    muxer = PsMuxer(Codec.H264)
    run = Run()
    for number in range(3):
        run.picture(number, muxer.video(sets + big, number * FRAME, key=True))
    assert [len(unit.data) for unit in run.video] == [len(big)] * 3


def test_parameter_sets_and_slices_in_pes_packets_of_their_own_are_one_unit() -> None:
    run = Run()
    for number, picture in enumerate(pictures(H264)):
        parts = b"".join(pes(0xE0, b"\0\0\0\1" + nal, number * FRAME) for nal in split_annex_b(picture))
        run.picture(number, pack_header(number * FRAME) + parts)
    check(run)


def test_each_pes_packet_in_a_pack_of_its_own_is_still_one_unit() -> None:
    run = Run()
    for number, picture in enumerate(pictures(H264)):
        parts = [
            pack_header(number * FRAME) + pes(0xE0, b"\0\0\0\1" + nal, number * FRAME) for nal in split_annex_b(picture)
        ]
        run.picture(number, *parts)
    check(run)


def test_private_padding_and_end_codes_are_skipped() -> None:
    junk = b"\0\0\1\xbd\0\x07\x80\0\0\0\0\1\x65" + b"\0\0\1\xbe\0\x04\xff\xff\xff\xff" + b"\0\0\1\xbf\0\x02ab"
    run = Run()
    for number, pack in enumerate(packs()):
        run.picture(number, pack + junk + b"\0\0\1\xb9")
    check(run)


def test_stuffing_in_the_pack_header_is_skipped() -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        run.picture(number, pack[:13] + b"\xfd" + b"\xff" * 5 + pack[14:])
    check(run)


def test_mpeg1_packs_are_read() -> None:
    run = Run()
    for number, picture in enumerate(pictures(H264)):
        time = pes(0xE0, b"", number * FRAME)[9:14]
        body = b"\xff\xff\x60\x08" + time + picture
        packet = b"\0\0\1\xe0" + len(body).to_bytes(2, "big") + body
        run.picture(number, b"\0\0\1\xba\x21\0\1\0\1\x80\0\1" + packet)
    check(run)


def test_bare_video_instead_of_a_program_stream_is_taken_with_the_times_of_rtp() -> None:
    for data in (H264, H265):
        run = Run()
        for number, picture in enumerate(pictures(data)):
            run.picture(number, picture[:100], picture[100:])
        assert run.session.container == "es"
        check(run, data)


def test_declared_but_absent_sound_delays_nothing() -> None:
    run = Run()
    for number, pack in enumerate(packs(audio=Codec.AAC)):
        run.picture(number, pack)
        assert len(run.video) == number + 1
    assert run.session.audio_declared
    assert run.audio == []


def test_sound_waits_for_the_first_key_frame_and_keeps_its_distance() -> None:
    run = Run()
    muxer = PsMuxer(Codec.H264, Codec.PCMA)
    for number, picture in enumerate(pictures(H264)[3:]):
        sound = muxer.audio(b"\xd5" * 320, 500_000 + number * FRAME + 900)
        run.picture(number, muxer.video(picture, 500_000 + number * FRAME, key=number % 6 == 3), sound)
    assert run.units[0].track == VIDEO
    assert run.units[0].is_key
    assert [a.pts - v.pts for a, v in zip(run.audio, run.video, strict=True)] == [900] * len(run.video)
    assert run.session.before_key == 3


def test_aac_frames_are_taken_apart_and_timed() -> None:
    parameters = aac.parameters_of(aac.specific_config(2, 16_000, 1))
    sound = b"".join(aac.write_adts(bytes((n,)) * 50, parameters) for n in range(3))
    muxer = PsMuxer(Codec.H264, Codec.AAC)
    run = Run()
    run.picture(0, muxer.video(pictures(H264)[0], 0, key=True), muxer.audio(sound[:100], 0))
    run.picture(1, muxer.video(pictures(H264)[1], FRAME, key=False), muxer.audio(sound[100:], 5760))
    assert [unit.data[:1] for unit in run.audio] == [b"\0", b"\1", b"\2"]
    assert run.audio[0].parameters == parameters
    assert [unit.pts for unit in run.audio] == sorted({unit.pts for unit in run.audio})


def test_sound_of_an_unknown_kind_is_named_and_left_out() -> None:
    section = bytearray(stream_map({0xE0: Codec.H264, 0xC0: Codec.PCMA}))
    section[16] = 0x99
    run = Run()
    for number, picture in enumerate(pictures(H264)):
        pack = pack_header(0) + bytes(section) + pes(0xE0, picture, number * FRAME) + pes(0xC0, b"\x7f" * 80, 0)
        run.picture(number, pack)
    check(run)
    assert run.audio == []
    assert run.session.unsupported_sound == "G.729"


def test_video_of_an_unknown_kind_is_named() -> None:
    run = Run()
    section = bytearray(stream_map({0xE0: Codec.H264}))
    section[12] = 0x80
    run.picture(0, pack_header(0) + bytes(section) + pes(0xE0, b"\0\0\1\x67svac" * 20, 0))
    assert run.session.unsupported == "SVAC"
    assert run.units == []


# --- losses ----------------------------------------------------------------------------------------------------


def test_after_a_loss_pictures_are_marked_until_the_next_key_frame() -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        if number == 2:
            run.session.feed(pack[:60], number * FRAME, 1_000_000 + number * 40_000)
            run.session.lost()
            run.session.feed(pack[90:], number * FRAME, 1_000_000 + number * 40_000)
            run.session.boundary(1_000_000 + number * 40_000)
        else:
            run.picture(number, pack)
    flags = [(unit.damaged, unit.is_key) for unit in run.video]
    assert [damaged for damaged, _ in flags[-6:]] == [False] * 6
    assert all(damaged for damaged, _ in flags[2:-6])
    assert not any(damaged for damaged, _ in flags[:2])


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_stream_joined_anywhere_begins_with_its_next_key_frame(cut: int) -> None:
    run = Run()
    for number, pack in enumerate(packs()):
        run.picture(number, pack[cut:] if number == 0 else pack)
    assert run.video[0].is_key
    assert len(run.video) in (6, 12)


@given(st.binary(max_size=300), st.integers(0, 5))
@settings(max_examples=80, deadline=None)
def test_garbage_between_pictures_never_raises_and_is_left_behind_by_the_next_key_frame(junk: bytes, at: int) -> None:
    run = Run()
    all_packs = packs()
    for number, pack in enumerate([*all_packs, *all_packs]):
        run.picture(number, *([junk] if number == at else []), pack)
    assert any(unit.is_key for unit in run.video[-6:])
    assert split_lengths(run.video[-1].data) == slices(pictures(H264)[-1])


# --- clocks ----------------------------------------------------------------------------------------------------


def times(write: Callable[[int], int], count: int = 24) -> list[int]:
    run = Run()
    source = pictures(H264)
    for number in range(count):
        run.picture(number, pack_header(0) + pes(0xE0, source[number % 12], write(number)))
    pts = [unit.pts for unit in run.video]
    assert len(pts) == count
    assert all(b > a for a, b in pairwise(pts))
    assert [unit.dts for unit in run.video] == pts
    return pts


def test_media_time_runs_on_over_the_wrap_of_33_bits() -> None:
    pts = times(lambda number: (2**33 - 5 * FRAME + number * FRAME) % 2**33)
    assert pts == [90_000 + n * FRAME for n in range(24)]


def test_doubled_times_are_told_apart() -> None:
    pts = times(lambda number: number // 2 * 2 * FRAME)
    assert abs(pts[-1] - pts[0] - 23 * FRAME) <= FRAME


def test_a_clock_that_jumps_makes_no_jump_in_media_time() -> None:
    pts = times(lambda number: number * FRAME if number < 12 else 5_000_000_000 + number * FRAME)
    assert 20 * FRAME <= pts[-1] - pts[0] <= 26 * FRAME


def test_a_clock_that_jumps_back_makes_no_jump_in_media_time() -> None:
    pts = times(lambda number: 9_000_000 + number * FRAME if number < 12 else number * FRAME)
    assert 20 * FRAME <= pts[-1] - pts[0] <= 26 * FRAME


@pytest.mark.parametrize("write", [lambda n: 0, lambda n: n * 40], ids=["standing", "milliseconds"])
def test_a_wrong_clock_is_replaced_by_the_time_of_arrival(write: Callable[[int], int]) -> None:
    pts = times(write, 500)
    late = pts[-200:]
    assert 190 * FRAME <= late[-1] - late[0] <= 210 * FRAME
