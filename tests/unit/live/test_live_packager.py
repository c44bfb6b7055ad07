"""What a browser's MediaSource gets, whatever the source does."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import av
import msgspec
import pytest

from safecity.media.door.messages import HEAD_BYTES
from safecity.media.formats.fmp4_read import Fragment, read_fragment
from safecity.media.formats.silence import silent_frame
from safecity.media.live.packager import Packager
from safecity.model.values.media import AUDIO, AudioParameters, Codec, Unit

AAC = AudioParameters(Codec.AAC, 8000, 1, b"\x15\x88", "mp4a.40.2")
PCMA = AudioParameters(Codec.PCMA, 8000, 1)


def sound(number: int, parameters: AudioParameters, start: int = 900_000) -> Unit:
    lasts = 11_520 if parameters.codec is Codec.AAC else 3600
    dts = start + number * lasts
    return Unit(AUDIO, b"s" * 40, dts, dts, True, False, 7, parameters)


def messages_of(frames: bytes) -> list[tuple[int, bytes]]:
    """(kind, payload) of each WebSocket frame; kind 0 is text."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(frames):
        opcode, size, head = frames[at] & 15, frames[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(frames[at + 2 : at + 4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(frames[at + 2 : at + 10], "big"), 10
        content = frames[at + head : at + head + size]
        found.append((content[0], content[HEAD_BYTES:]) if opcode == 2 else (0, content))
        at += head + size
    return found


def media(frames: bytes) -> list[Fragment]:
    return [read_fragment(payload) for kind, payload in messages_of(frames) if kind in (2, 3)]


def test_nothing_goes_out_before_a_key_frame(make_picture: Any) -> None:
    packager = Packager("main")
    assert packager.feed(make_picture(1)) is None
    packet = packager.feed(make_picture(25))
    assert packet is not None
    assert packet.is_key
    (kind, text), (init_kind, _) = messages_of(packager.init)
    assert (kind, init_kind) == (0, 1)
    assert msgspec.json.decode(text) == {
        "type": "init",
        "mime": 'video/mp4; codecs="avc1.42c01e"',
        "codec": "h264",
        "width": 640,
        "height": 360,
        "audio": None,
        "quality": "main",
    }


def test_each_picture_is_one_fragment_that_promises_to_last_long_enough(make_picture: Any) -> None:
    packager = Packager("main")
    found = [packager.feed(make_picture(number)) for number in range(50)]
    times: list[int] = []
    for number, packet in enumerate(found):
        assert packet is not None
        assert packet.is_key == (number % 25 == 0)
        [fragment] = media(packet.frames)
        [sample] = fragment.tracks[0].samples
        times.append(sample.dts)
        assert sample.duration == 7200
        assert sample.data == bytes([number]) * 100
    assert times == [90_000 + number * 3600 for number in range(50)]
    assert packager.generation == 1


def test_after_a_loss_nothing_is_shown_until_the_next_key_frame(make_picture: Any) -> None:
    packager = Packager("main")
    shown = [
        number for number in range(60) if packager.feed(make_picture(number, damaged=number in (30, 31))) is not None
    ]
    assert shown == [*range(30), *range(50, 60)]
    assert packager.dropped == 20


def test_pictures_after_a_loss_promise_no_more_than_those_before(make_picture: Any) -> None:
    packager = Packager("main")
    durations = [
        sample.duration
        for number in range(60)
        if (packet := packager.feed(make_picture(number, damaged=number == 30)))
        for sample in media(packet.frames)[0].tracks[0].samples
    ]
    assert durations == [7200] * 40


def test_a_damaged_key_frame_is_not_shown_since_browsers_give_up_on_it(make_picture: Any) -> None:
    packager = Packager("main")
    shown = [number for number in range(80) if packager.feed(make_picture(number, damaged=number in (0, 50)))]
    assert shown == [*range(25, 50), *range(75, 80)]
    assert packager.broken is False


def test_a_new_run_continues_the_time_line(make_picture: Any) -> None:
    packager = Packager("main")
    times: list[int] = []
    pictures = [make_picture(n) for n in range(25)] + [make_picture(n, start=5) for n in range(25)]
    pictures += [make_picture(n, start=2**40) for n in range(25)]
    for unit in pictures:
        packet = packager.feed(unit)
        assert packet is not None
        times.append(media(packet.frames)[0].tracks[0].samples[0].dts)
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert all(0 < step <= 7200 for step in steps)


def test_equal_times_are_moved_apart(make_picture: Any) -> None:
    packager = Packager("main")
    packager.feed(make_picture(0))
    packet = packager.feed(make_picture(0)._replace(is_key=False))
    assert packet is not None
    assert media(packet.frames)[0].tracks[0].samples[0].dts == 90_001


def test_a_changed_picture_size_gives_a_new_init_with_its_key_frame(make_picture: Any) -> None:
    packager = Packager("main")
    packager.feed(make_picture(0))
    before = packager.init
    wide = replace(make_picture(0).parameters, width=1280)
    assert packager.feed(make_picture(1)._replace(parameters=wide)) is None
    packet = packager.feed(make_picture(25)._replace(parameters=wide))
    assert packet is not None
    assert packager.generation == 2
    assert packager.init != before


def test_aac_travels_with_the_pictures(make_picture: Any) -> None:
    packager = Packager("main")
    packager.know_audio(AAC)
    packager.feed(make_picture(0))
    assert packager.feed(sound(0, AAC)) is None
    packet = packager.feed(make_picture(1))
    assert packet is not None
    [fragment] = media(packet.frames)
    assert [one.track for one in fragment.tracks] == [0, 1]
    assert fragment.tracks[1].samples[0].dts == 90_000
    assert "mp4a.40.2" in messages_of(packager.init)[0][1].decode()


def test_sound_that_appears_later_gets_an_init_with_the_next_key_frame(make_picture: Any) -> None:
    packager = Packager("main")
    packager.feed(make_picture(0))
    assert packager.feed(sound(0, AAC)) is None
    packet = packager.feed(make_picture(1))
    assert packet is not None
    assert len(media(packet.frames)[0].tracks) == 1
    packager.feed(make_picture(25))
    assert packager.generation == 2


def test_g711_is_sent_raw_beside_the_pictures(make_picture: Any) -> None:
    packager = Packager("main")
    packager.know_audio(PCMA)
    packager.feed(make_picture(0))
    packager.feed(sound(0, PCMA))
    packager.feed(sound(1, PCMA))
    packet = packager.feed(make_picture(1))
    assert packet is not None
    assert [kind for kind, _ in messages_of(packet.frames)] == [4, 3]
    assert messages_of(packet.frames)[0][1] == b"s" * 80
    text = msgspec.json.decode(messages_of(packager.init)[0][1])
    assert text["audio"] == {"codec": "pcma", "sample_rate": 8000, "channels": 1}
    assert "mp4a" not in text["mime"]


def test_a_microphone_that_pauses_is_silence_and_holds_up_no_picture(make_picture: Any) -> None:
    """Pictures and sound of one MediaSource go on only together: the line of the sound must not stop."""
    packager = Packager("main")
    packager.know_audio(AAC)
    pictures: list[int] = []
    sounds: list[tuple[int, bytes]] = []

    def show(unit: Unit) -> None:
        packet = packager.feed(unit)
        for fragment in media(packet.frames) if packet is not None else []:
            for track in fragment.tracks:
                for sample in track.samples:
                    if track.track == AUDIO:
                        sounds.append((sample.dts, sample.data))
                    else:
                        pictures.append(sample.dts)

    heard = 0
    for number in range(250):
        show(make_picture(number))
        while heard * 11_520 <= number * 3600:
            if not 75 <= number < 175:
                show(sound(heard, AAC))
            heard += 1
        if number > 25:
            assert pictures[-1] - (sounds[-1][0] + 11_520) <= 90_000, (
                "no picture is further than a second from its sound"
            )
    assert len(pictures) == 250
    steps = {two[0] - one[0] for one, two in itertools.pairwise(sounds)}
    assert steps <= set(range(11_520, 2 * 11_520)), "nothing is doubled, and what is missing is less than a frame"
    quiet = [at for at, data in sounds if data != b"s" * 40]
    assert quiet[0] >= 90_000 + 75 * 3600 - 11_520
    assert quiet[-1] < 90_000 + 175 * 3600 + 11_520
    assert sounds[-1][1] == b"s" * 40, "and then it is heard again"


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_is_silent(channels: int) -> None:
    config = (2 << 11 | 8 << 7 | channels << 3).to_bytes(2, "big")
    frame = silent_frame(AudioParameters(Codec.AAC, 16_000, channels, config))
    decoder: Any = av.CodecContext.create("aac", "r")
    decoder.extradata = config
    decoded = [one.to_ndarray() for _ in range(4) for one in decoder.decode(av.Packet(frame))]
    assert len(decoded) == 4
    assert {one.shape for one in decoded} == {(channels, 1024)}
    assert not any(one.any() for one in decoded)
    assert silent_frame(AudioParameters(Codec.AAC, 16_000, channels, b"\x2b\x8a\x08\x00")) is None, "HE-AAC has others"


def test_sound_does_not_wait_for_ever_for_a_picture(make_picture: Any) -> None:
    packager = Packager("main")
    packager.know_audio(AAC)
    packager.feed(make_picture(0))
    packets = [packager.feed(sound(number, AAC)) for number in range(6)]
    sent = [packet for packet in packets if packet is not None]
    assert len(sent) == 2
    assert [one.track for one in media(sent[0].frames)[0].tracks] == [1]


def test_unusable_parameter_sets_drop_pictures_and_nothing_else(make_picture: Any) -> None:
    packager = Packager("main")
    bad = replace(make_picture(0).parameters, parameter_sets=())
    assert packager.feed(make_picture(0)._replace(parameters=bad)) is None
    assert packager.broken
    assert packager.dropped == 1
    assert packager.feed(make_picture(25)) is not None
