"""The point where sources and readers of one stream meet."""

from __future__ import annotations

import pytest

from safecity.media.streams import GOP_UNITS, IDLE, LOST, OPENING, RUNNING, Stream, Streams
from safecity.model.values.media import AUDIO, VIDEO, AudioParameters, Codec, Quality, StreamKey, Unit, VideoParameters

KEY = StreamKey("ch_1", Quality.MAIN)
VIDEO_PARAMETERS = VideoParameters(Codec.H264, 1920, 1080, (b"s", b"p"), "avc1.4d401f", 25.0)
AUDIO_PARAMETERS = AudioParameters(Codec.PCMA, 8000, 1)


class Everything:
    """A reader that keeps what it gets."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.reasons: list[str] = []

    def offer(self, unit: Unit) -> None:
        self.units.append(unit)

    def ended(self, reason: str) -> None:
        self.reasons.append(reason)


def unit(number: int, *, key: bool = False, track: int = VIDEO, size: int = 10, damaged: bool = False) -> Unit:
    parameters = VIDEO_PARAMETERS if track == VIDEO else AUDIO_PARAMETERS
    at = 90_000 + number * 3600
    return Unit(track, bytes(size), at, at, key or track == AUDIO, damaged, number * 40_000, parameters)


def test_the_ring_holds_all_tracks_from_the_last_key_frame_on() -> None:
    stream = Stream(KEY)
    stream.deliver(unit(0, track=AUDIO))
    assert stream.gop() == ()
    units = [unit(1, key=True), unit(2, track=AUDIO), unit(3), unit(4, key=True), unit(5)]
    for one in units:
        stream.deliver(one)
    assert stream.gop() == tuple(units[3:])
    assert stream.parameters == (VIDEO_PARAMETERS, AUDIO_PARAMETERS)


def test_a_group_that_never_ends_is_not_kept() -> None:
    stream = Stream(KEY)
    stream.deliver(unit(0, key=True))
    for number in range(1, GOP_UNITS + 10):
        stream.deliver(unit(number))
    assert stream.gop() == ()
    stream.deliver(unit(5000, key=True))
    assert len(stream.gop()) == 1


def test_the_ring_is_bounded_in_bytes() -> None:
    stream = Stream(KEY, gop_bytes=1000)
    stream.deliver(unit(0, key=True, size=600))
    assert len(stream.gop()) == 1
    stream.deliver(unit(1, size=600))
    assert stream.gop() == ()


def test_readers_share_the_units_themselves() -> None:
    stream, one, two = Stream(KEY), Everything(), Everything()
    stream.attach(one)
    stream.attach(one)
    stream.attach(two)
    stream.deliver(unit(0, key=True))
    stream.detach(one)
    stream.deliver(unit(1))
    assert len(one.units) == 1
    assert len(two.units) == 2
    assert one.units[0] is two.units[0]
    stream.end("closed")
    assert (one.reasons, two.reasons) == ([], ["closed"])
    assert stream.readers == ()


def test_a_reader_may_leave_while_it_is_offered_a_unit() -> None:
    stream, other = Stream(KEY), Everything()

    class Leaver(Everything):
        def offer(self, unit: Unit) -> None:
            stream.detach(self)

    stream.attach(Leaver())
    stream.attach(other)
    stream.deliver(unit(0, key=True))
    assert len(other.units) == 1


def test_states_are_told_once_and_reconnects_counted() -> None:
    stream = Stream(KEY)
    told: list[tuple[str, str]] = []
    stream.on_state = lambda one: told.append((one.state, one.step))
    for state, step in (
        (OPENING, ""),
        (RUNNING, ""),
        (RUNNING, ""),
        (LOST, "gb_no_packet"),
        (OPENING, ""),
        (LOST, "gb_no_packet"),
        (RUNNING, ""),
    ):
        stream.tell(state, 5, step)
    assert told == [
        (OPENING, ""),
        (RUNNING, ""),
        (LOST, "gb_no_packet"),
        (OPENING, ""),
        (LOST, "gb_no_packet"),
        (RUNNING, ""),
    ]
    assert stream.reconnects == 1
    assert stream.opened_us == 5


def test_an_old_picture_is_not_kept_when_the_stream_is_lost() -> None:
    stream = Stream(KEY)
    stream.tell(RUNNING, 1)
    stream.deliver(unit(0, key=True))
    stream.tell(LOST, 2, "gb_packets_stopped")
    assert stream.gop() == ()


def test_a_new_session_begins_where_the_old_one_would_be_by_now() -> None:
    stream = Stream(KEY)
    assert stream.resume_at(123) == 90_000
    stream.deliver(unit(25, key=True))
    assert stream.resume_at(1_000_000) == 180_000 + 3600
    assert stream.resume_at(11_000_000) == 180_000 + 900_000
    assert stream.resume_at(0) > 180_000


def test_rates_are_those_of_the_last_five_seconds() -> None:
    stream = Stream(KEY)
    assert stream.rates() == (0.0, 0.0)
    for second in range(20):
        for number in range(25 if second >= 14 else 5):
            stream.deliver(unit(second * 25 + number, key=number == 0, size=1000))
        stream.sample(float(second))
    bits, pictures = stream.rates()
    assert pictures == pytest.approx(25.0)
    assert bits == pytest.approx(200_000)


def test_damaged_units_are_counted() -> None:
    stream = Stream(KEY)
    stream.deliver(unit(0, key=True))
    stream.deliver(unit(1, damaged=True))
    assert (stream.units, stream.units_damaged, stream.bytes, stream.last_us) == (2, 1, 20, 40_000)


def test_streams_are_made_once_and_ended_when_dropped() -> None:
    streams, reader = Streams(), Everything()
    stream = streams.ensure(KEY)
    assert streams.ensure(KEY) is stream
    assert streams.get(StreamKey("ch_1", Quality.SUB)) is None
    stream.attach(reader)
    assert stream.state == IDLE
    streams.drop(KEY, "released")
    streams.drop(KEY, "released")
    assert reader.reasons == ["released"]
    assert len(streams) == 0
    assert list(streams) == []
