"""Viewers of a live stream: the first picture at once, one package for all, and nobody waits for the slow."""

from __future__ import annotations

from typing import Any

from safecity.kit.clock import FakeClock
from safecity.media.live.hub import LiveHub, Notice
from safecity.model.values.media import Quality, StreamKey
from safecity.model.values.ticket import Ticket

KEY = StreamKey("ch_1", Quality.MAIN)
TICKET = Ticket("s1", "u1", "ch_1", "live", Quality.MAIN, 0)


class City:
    """A hub over one stream, and what it asked for."""

    def __init__(self, stream: Any) -> None:
        self.stream: Any = stream
        self.clock = FakeClock()
        self.watched: list[bool] = []
        self.asked = 0
        self.hub = LiveHub(self._find, lambda _, wanted: self.watched.append(wanted), self._ask, self.clock.monotonic)

    def _find(self, key: StreamKey) -> Any:
        if key != KEY:
            raise KeyError(key)
        return self.stream

    def _ask(self, key: StreamKey) -> None:
        self.asked += 1


def test_the_cached_group_of_pictures_goes_out_at_once(stream: Any, connection: Any, make_picture: Any) -> None:
    city = City(stream)
    for number in range(30):
        stream.deliver(make_picture(number))
    city.hub.serve(connection, TICKET)
    assert connection.kinds() == [0, 1, 2, 3, 3, 3, 3]
    stream.deliver(make_picture(30))
    assert connection.kinds() == [0, 1, 2, 3, 3, 3, 3, 3]
    assert connection.said[0]["state"] == "running"


def test_all_viewers_get_the_very_same_bytes(stream: Any, make_connection: Any, make_picture: Any) -> None:
    city = City(stream)
    many = [make_connection() for _ in range(5)]
    stream.deliver(make_picture(0))
    for one in many:
        city.hub.serve(one, TICKET)
    stream.deliver(make_picture(1))
    assert len({id(one.sent[-1]) for one in many}) == 1


def test_nothing_is_packed_while_nobody_watches(stream: Any, connection: Any, make_picture: Any) -> None:
    city = City(stream)
    stream.deliver(make_picture(0))
    assert stream.readers == []
    viewer = city.hub.serve(connection, TICKET)
    assert len(stream.readers) == 1
    assert city.hub.viewers(KEY) == 1
    viewer.closed()
    assert stream.readers == []
    assert city.watched == [True, False]
    assert city.hub.viewers(KEY) == 0


def test_a_slow_viewer_skips_to_the_next_key_frame_and_harms_only_itself(
    stream: Any, make_connection: Any, make_picture: Any
) -> None:
    city = City(stream)
    slow, quick = make_connection(), make_connection()
    stream.deliver(make_picture(0))
    city.hub.serve(slow, TICKET)
    city.hub.serve(quick, TICKET)
    stream.deliver(make_picture(1))
    slow.full, slow.waiting_bytes = True, 10_000_000
    for number in range(2, 30):
        stream.deliver(make_picture(number))
    assert len(quick.kinds()) == 2 + 30
    assert len(slow.kinds()) == 2 + 2
    slow.full, slow.waiting_bytes = False, 0
    for number in range(30, 60):
        stream.deliver(make_picture(number))
    assert slow.kinds()[4:] == [2, *[3] * 9]
    assert slow.said[-1] == {"type": "skipped", "units": 48}
    assert city.hub.counters["units_skipped"] == 48


def test_the_burst_at_the_beginning_does_not_count_as_slow(stream: Any, connection: Any, make_picture: Any) -> None:
    city = City(stream)
    for number in range(25):
        stream.deliver(make_picture(number, size=100_000))
    connection.full, connection.waiting_bytes = True, 2_500_000
    viewer = city.hub.serve(connection, TICKET)
    before = len(connection.sent)
    for number in range(25, 30):
        stream.deliver(make_picture(number, size=1000))
    assert len(connection.sent) == before + 5
    viewer.drained()
    connection.waiting_bytes = 9_000_000
    stream.deliver(make_picture(30))
    assert len(connection.sent) == before + 5


def test_who_comes_before_the_stream_gets_it_when_it_opens(stream: Any, connection: Any, make_picture: Any) -> None:
    city = City(None)
    city.hub.serve(connection, TICKET)
    assert connection.said == [{"type": "state", "state": "opening", "step": "", "params": {}}]
    assert city.watched == [True]
    city.hub.notice(KEY, Notice("opening", "no_sip_answer", {"device": "x"}))
    assert connection.said[-1]["step"] == "no_sip_answer"
    city.hub.attach(KEY, stream)
    stream.deliver(make_picture(0))
    assert connection.kinds() == [0, 1, 2]


def test_an_unknown_channel_ends_with_a_reason(connection: Any) -> None:
    city = City(None)
    viewer = city.hub.serve(connection, Ticket("s1", "u1", "ch_2", "live", Quality.MAIN, 0))
    viewer.closed()
    assert connection.ended == "not_found"
    assert city.watched == []


def test_a_lost_picture_asks_for_a_key_frame_but_not_too_often(stream: Any, connection: Any, make_picture: Any) -> None:
    city = City(stream)
    city.hub.serve(connection, TICKET)
    stream.deliver(make_picture(0))
    for number in range(1, 10):
        stream.deliver(make_picture(number, damaged=True))
    assert city.asked == 1
    city.clock.advance(1.5)
    stream.deliver(make_picture(10, damaged=True))
    assert city.asked == 2


def test_a_new_init_reaches_those_who_are_here(stream: Any, connection: Any, make_picture: Any) -> None:
    from dataclasses import replace

    city = City(stream)
    stream.deliver(make_picture(0))
    city.hub.serve(connection, TICKET)
    wide = replace(make_picture(0).parameters, width=1280)
    stream.deliver(make_picture(25)._replace(parameters=wide))
    assert connection.kinds() == [0, 1, 2, 0, 1, 2]


def test_released_channels_send_their_viewers_away(stream: Any, connection: Any) -> None:
    city = City(stream)
    city.hub.serve(connection, TICKET)
    city.hub.forget(KEY)
    assert connection.ended == "moved"
