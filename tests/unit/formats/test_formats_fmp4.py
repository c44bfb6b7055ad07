"""What we write as fragmented MP4 is decoded by a foreign library, and read back by ourselves."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import pytest

from safecity.kit.errors import InvalidError
from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment, init_segment, mime_codecs
from safecity.media.formats.fmp4_read import read_fragment, read_init
from safecity.model.values.media import AUDIO, VIDEO, AudioParameters, Codec, VideoParameters

Video = Callable[..., tuple[VideoParameters, list[tuple[bytes, int, int, bool]]]]
PCMA = AudioParameters(Codec.PCMA, 8000, 1)


def samples_of(units: list[tuple[bytes, int, int, bool]]) -> list[Sample]:
    return [Sample(data, dts, pts, 3600, key) for data, dts, pts, key in units]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("size", [1, 7, 25])
def test_a_foreign_player_decodes_every_picture(video: Video, codec: Codec, b_frames: int, size: int) -> None:
    parameters, units = video(codec, b_frames)
    samples = samples_of(units)
    parts = [init_segment([parameters])]
    for number, start in enumerate(range(0, len(samples), size)):
        parts.append(fragment(number + 1, [TrackSamples(VIDEO, samples[start : start + size])]))
    with av.open(io.BytesIO(b"".join(parts))) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 60
    first = frames[0].pts
    assert [frame.pts - first for frame in frames] == [number * 3600 for number in range(60)]
    assert (frames[0].width, frames[0].height) == (320, 192)


def test_video_and_sound_share_fragments(video: Video, sound: tuple[AudioParameters, list[bytes]]) -> None:
    parameters, units = video(Codec.H264, 0)
    audio, packets = sound
    voice = [Sample(data, n * 11520, n * 11520, 11520, True) for n, data in enumerate(packets)]
    whole = init_segment([audio, parameters]) + fragment(
        1, [TrackSamples(VIDEO, samples_of(units)), TrackSamples(AUDIO, voice)]
    )
    with av.open(io.BytesIO(whole)) as container:
        assert len(list(container.decode(video=0))) == 60
    with av.open(io.BytesIO(whole)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 16384
    assert (
        mime_codecs([audio, parameters])
        == f'video/mp4; codecs="avc1.{parameters.parameter_sets[0][1:4].hex()},mp4a.40.2"'
    )


def test_g711_is_kept_as_it_came(video: Video) -> None:
    parameters, units = video(Codec.H264, 0)
    voice = [Sample(b"\xd5" * 160, n * 1800, n * 1800, 1800, True) for n in range(50)]
    whole = init_segment([parameters, PCMA]) + fragment(
        1, [TrackSamples(VIDEO, samples_of(units)), TrackSamples(AUDIO, voice)]
    )
    with av.open(io.BytesIO(whole)) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_alaw"
        assert sum(frame.samples for frame in container.decode(audio=0)) == 8000


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_what_is_written_is_read_back(video: Video, codec: Codec, sound: tuple[AudioParameters, list[bytes]]) -> None:
    parameters, units = video(codec, 2)
    samples = samples_of(units)
    voice = [Sample(data, n * 11520, n * 11520, 11520, True) for n, data in enumerate(sound[1])]
    tracks = (TrackSamples(VIDEO, samples), TrackSamples(AUDIO, voice))
    back = read_fragment(fragment(2**32 + 5, tracks))
    assert back.sequence == 5
    assert back.tracks == tracks
    found = read_init(init_segment([parameters, sound[0]]))
    assert isinstance(found[0], VideoParameters)
    assert isinstance(found[1], AudioParameters)
    assert set(found[0].parameter_sets) == set(parameters.parameter_sets)
    assert (found[0].width, found[0].height, found[1].config) == (320, 192, sound[0].config)
    assert init_segment(found) == init_segment([parameters, sound[0]])


def test_media_time_has_64_bits() -> None:
    sample = Sample(b"x", 2**40, 2**40 - 5, 1, False)
    assert read_fragment(fragment(1, [TrackSamples(VIDEO, [sample])])).tracks[0].samples[0] == sample


def test_a_single_sample_is_written_like_many() -> None:
    one, two = Sample(b"abc", 10, 20, 30, True), Sample(b"defg", 40, 40, 30, False)
    alone = fragment(9, [TrackSamples(VIDEO, [one])])
    both = fragment(9, [TrackSamples(VIDEO, [one, two])])
    assert len(both) - len(alone) == 16 + len(two.data)
    assert read_fragment(alone).tracks[0].samples == [one]
    assert read_fragment(both).tracks[0].samples == [one, two]


def test_every_truncation_is_refused_without_another_exception(video: Video) -> None:
    parameters, units = video(Codec.H265, 0)
    whole = fragment(1, [TrackSamples(VIDEO, samples_of(units[:3]))])
    for cut in [*range(300), *range(300, len(whole), 97)]:
        with pytest.raises(InvalidError):
            read_fragment(whole[:cut])
    head = init_segment([parameters, PCMA])
    for cut in range(len(head)):
        with pytest.raises(InvalidError):
            read_init(head[:cut])


@pytest.mark.parametrize(
    "sets",
    [(), (b"\x67",), (b"\x67\x64\x00\x1f", b"\x68\xee"), (b"", b"\x68"), (b"\x67\x42\x00\x1f" + b"x" * 70000, b"\x68")],
)
def test_broken_parameter_sets_are_refused(sets: tuple[bytes, ...]) -> None:
    with pytest.raises(InvalidError) as caught:
        init_segment([VideoParameters(Codec.H264, 320, 240, sets, "")])
    assert caught.value.code == "bad_parameter_set"


def test_two_tracks_of_a_kind_are_refused() -> None:
    with pytest.raises(InvalidError):
        init_segment([PCMA, AudioParameters(Codec.PCMU, 8000, 1)])


def test_the_codec_string_of_h265_follows_annex_e(video: Video) -> None:
    parameters, _ = video(Codec.H265, 0)
    assert mime_codecs([parameters]).startswith('video/mp4; codecs="hvc1.1.6.L')
