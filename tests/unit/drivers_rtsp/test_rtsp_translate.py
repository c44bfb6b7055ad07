"""Packets to units: order, loss, media time, B pictures, sound beside video."""

from __future__ import annotations

import base64
import itertools
import random

import pytest

from safecity.drivers.rtsp.backoff import Backoff
from safecity.drivers.rtsp.translate import DecodingTimes, TrackFeed
from safecity.kit.outgoing import may_reach
from safecity.model.values.media import AUDIO, VIDEO, AudioParameters, Codec, Unit
from safecity.protocols.rtp import rtcp
from safecity.protocols.rtp.packets import RtpPacket, write
from safecity.protocols.rtp_payloads.writing import write_aac, write_h264
from safecity.protocols.rtsp.tracks import Track

SPS = base64.b64decode("Z2QAKKzZQHgCJ+WEAAADAAQAAAMA8DxgxlgA")
PPS = base64.b64decode("aOvjyyLA")
EPOCH = 1_700_000_000_000_000


def video(sets: bool = True) -> Track:
    return Track(VIDEO, Codec.H264, 96, 90_000, "rtsp://h/0", (SPS, PPS) if sets else ())


def aac() -> Track:
    return Track(AUDIO, Codec.AAC, 97, 16_000, "rtsp://h/1", (), AudioParameters(Codec.AAC, 16_000, 1, b"\x14\x08"))


class Camera:
    """Writes packets of numbered pictures, key frames every 10."""

    def __init__(self, ssrc: int = 7, sequence: int = 65_530, base: int = 0xFFFF_0000) -> None:
        self.ssrc, self.sequence, self.base = ssrc, sequence, base

    def picture(self, number: int, *, inband: bool = False) -> list[bytes]:
        key = number % 10 == 0
        nal = (b"\x65\x88" if key else b"\x41\x9a") + bytes([number % 256]) * 3000
        nals = [SPS, PPS, nal] if inband and key else [nal]
        return [self.wrap(payload, marker, self.base + number * 3600) for payload, marker in write_h264(nals)]

    def wrap(self, payload: bytes, marker: bool, stamp: int, payload_type: int = 96) -> bytes:
        self.sequence = (self.sequence + 1) & 0xFFFF
        return write(RtpPacket(payload_type, marker, self.sequence, stamp & 0xFFFFFFFF, self.ssrc, payload))


class Played:
    def __init__(self, track: Track, hold: float = 0.2, after: int = 0) -> None:
        self.units: list[Unit] = []
        self.feed = TrackFeed(track, self.units.append, hold_seconds=hold, epoch_us=EPOCH, after_90k=after)
        self.now = 0.0

    def push(self, packets: list[bytes], at: float) -> None:
        self.now = at
        for packet in packets:
            self.feed.packet(packet, at, EPOCH + round(at * 1e6))


def numbers(units: list[Unit]) -> list[int]:
    return [unit.data[6] for unit in units]


@pytest.mark.parametrize("inband", [False, True])
def test_pictures_become_units_with_running_time_over_every_wrap(inband: bool) -> None:
    camera, played = Camera(), Played(video(sets=not inband))
    for number in range(50):
        played.push(camera.picture(number, inband=inband), number / 25)
    assert numbers(played.units) == list(range(50))
    assert [unit.dts for unit in played.units] == [1 + 3600 * number for number in range(50)]
    assert [unit.is_key for unit in played.units] == [number % 10 == 0 for number in range(50)]
    assert not any(unit.damaged for unit in played.units)
    assert all(unit.data[:4] == (3002).to_bytes(4, "big") for unit in played.units)
    assert len({id(unit.parameters) for unit in played.units}) == 1
    assert (played.units[0].parameters.width, played.feed.figures.lost) == (1920, 0)  # type: ignore[union-attr]


def test_nothing_is_shown_before_the_first_key_frame() -> None:
    camera, played = Camera(), Played(video())
    for number in range(7, 12):
        played.push(camera.picture(number), number / 25)
    assert numbers(played.units) == [10, 11]


def test_swapped_and_doubled_packets_do_no_harm() -> None:
    chance, camera, played = random.Random(1), Camera(), Played(video())
    for number in range(40):
        packets = camera.picture(number)
        if number:  # where a stream begins, nobody knows what came before its first packet
            chance.shuffle(packets)
        played.push(packets + packets[:1], number / 25)
    assert numbers(played.units) == list(range(40))
    assert played.feed.figures.lost == 0


def test_a_lost_packet_damages_everything_up_to_the_next_key_frame() -> None:
    camera, played = Camera(), Played(video())
    for number in range(25):
        packets = camera.picture(number)
        played.push(packets[1:] if number == 13 else packets, number / 25)
        played.feed.expire(number / 25, EPOCH + number * 40_000)
    damaged = [unit.data[6] for unit in played.units if unit.damaged]
    assert damaged[-1] == 19
    assert set(damaged) >= set(range(14, 20))
    assert not any(unit.damaged for unit in played.units if unit.data[6] >= 20 or unit.data[6] < 12)
    assert played.feed.figures.lost == 1


def test_packets_of_strangers_are_counted_until_the_stranger_goes_on_alone() -> None:
    camera, stranger, played = Camera(), Camera(ssrc=9), Played(video())
    for number in range(10):
        played.push(camera.picture(number), number / 25)
        played.push(stranger.picture(number)[:1], number / 25)
    assert numbers(played.units) == list(range(10))
    assert played.feed.figures.foreign == 10
    for number in range(10, 40):
        played.push(stranger.picture(number), number / 25)
    assert numbers(played.units)[-1] == 39
    played.push([b"", b"x" * 40, camera.wrap(b"abc", True, 0, 111)], 2.0)


def test_the_next_try_goes_on_behind_the_last_one() -> None:
    camera, played = Camera(), Played(video(), after=1_000_000)
    played.push(camera.picture(0), 1.0)
    assert played.units[0].dts == 1_000_001


def test_sound_keeps_its_own_clock_and_meets_the_video() -> None:
    played = Played(aac())
    camera = Camera(base=0xFFFF_FF00)
    for number in range(100):
        for payload, marker in write_aac([b"frame"]):
            packet = camera.wrap(payload, marker, camera.base + number * 1024, 97)
            played.push([packet], 1.0 + number * 0.064)
    assert len(played.units) == 100
    assert played.units[0].pts == 90_000
    assert played.units[99].pts == 90_000 + 99 * 5760
    assert all(unit.is_key and unit.data == b"frame" for unit in played.units)


def test_rtp_info_aligns_the_tracks_where_it_makes_sense() -> None:
    camera, sensible, absurd = Camera(base=1000), Played(video()), Played(video())
    sensible.feed.anchor(1000 - 4500, 90_000)
    absurd.feed.anchor(1000 - 90_000 * 600, 90_000)
    packets = camera.picture(0)
    sensible.push(packets, 3.0)
    absurd.push(packets, 3.0)
    assert sensible.units[0].dts == 94_500
    assert absurd.units[0].dts == 270_000


def test_b_pictures_get_growing_decoding_times() -> None:
    times = DecodingTimes()
    shown = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11, 16, 14, 13, 15]
    placed = [times.place(3600 * number) for number in shown]
    assert all(late[1] > early[1] for early, late in itertools.pairwise(placed))
    assert all(pts >= dts for pts, dts in placed)
    assert [pts for pts, _ in placed[6:]] == [3600 * number for number in shown[6:]]


def test_without_b_pictures_both_times_are_one() -> None:
    times = DecodingTimes()
    assert [times.place(3600 * number) for number in range(9)] == [(3600 * n, 3600 * n) for n in range(9)]


def test_a_report_tells_what_was_lost() -> None:
    camera, played = Camera(sequence=99), Played(video(), hold=0.0)
    assert played.feed.report(1, 0.0) is None
    for number in range(4):
        packets = camera.picture(number)
        played.push(packets if number != 2 else packets[:1], number / 25)
    played.feed.expire(10.0, EPOCH)
    played.feed.control(rtcp.sender_report(7, 0x1234_5678_9ABC_DEF0, 1, 2, 3), 9.0)
    report = played.feed.report(1, 10.0)
    assert report is not None
    assert int.from_bytes(report[8:12], "big") == 7
    assert int.from_bytes(report[13:16], "big") == 2
    assert int.from_bytes(report[16:20], "big") == camera.sequence
    assert report[24:28] == b"\x56\x78\x9a\xbc"
    assert int.from_bytes(report[28:32], "big") == 65_536


def test_the_waits_grow_with_chance_and_begin_anew_after_a_steady_session() -> None:
    backoff = Backoff(lambda: 0.5)
    assert [backoff.next("rtsp_connect_failed") for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.progressed(1.0)
    assert backoff.next("rtsp_silent") == 60
    backoff.progressed(30.0)
    assert backoff.next("rtsp_silent") == 1
    assert backoff.next("rtsp_unauthorized") == 60
    assert {Backoff(lambda value=value: value).next("") for value in (0.0, 1.0)} == {0.75, 1.25}


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.168.1.64", True), ("10.0.0.1", True), ("203.0.113.9", True), ("fd00::1", True), ("::ffff:10.0.0.1", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("::1", False), ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b::a9fe:a9fe", False), ("2002:a9fe:a9fe::1", False),
        ("100.100.100.200", False), ("168.63.129.16", False), ("fd00:ec2::254", False),
        ("169.254.169.254", False), ("fe80::1%eth0", False), ("::ffff:169.254.169.254", False), ("224.0.0.1", False),
        ("0.0.0.0", False), ("::", False), ("240.0.0.1", False), ("camera", False),
    ],
)  # fmt: skip
def test_cameras_may_live_in_private_networks_and_not_among_the_machines_own_services(
    address: str, allowed: bool
) -> None:
    assert may_reach(address) is allowed


def test_cameras_of_the_demo_city_live_on_the_machine_itself_where_that_is_allowed() -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert may_reach(address, allow_loopback=True)
    assert not may_reach("169.254.169.254", allow_loopback=True)
