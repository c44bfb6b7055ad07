"""RTP headers, putting packets in order, framing over TCP, reports."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.protocols.rtp import rtcp
from safecity.protocols.rtp.framing import MAX_HUNT, FramingError, TcpDeframer, frame
from safecity.protocols.rtp.packets import RtpPacket, packetise, parse, payload_span, write
from safecity.protocols.rtp.reorder import RESTART, RING, Reorder

# --- headers ---------------------------------------------------------------------------------------------------


def test_a_header_is_written_and_read_back() -> None:
    packet = RtpPacket(96, True, 0xFFFE, 0x12345678, 200_000_123, b"payload")
    wire = write(packet)
    assert wire[:12] == bytes.fromhex("80e0fffe12345678 0bebc27b".replace(" ", ""))
    assert parse(wire) == packet


def test_sources_extension_and_padding_are_left_out() -> None:
    head = bytes((0x80 | 0x30 | 2, 96)) + bytes(10) + b"csrccsrc" + b"\xbe\xde\0\1abcd"
    assert parse(head + b"body" + b"\0\0\3") is not None
    packet = parse(head + b"body" + b"\0\0\3")
    assert packet is not None
    assert packet.payload == b"body"


@given(st.binary(max_size=40))
def test_no_header_makes_the_reader_raise_or_leave_the_packet(data: bytes) -> None:
    span = payload_span(data, 0, len(data))
    assert span is None or 12 <= span[0] <= span[1] <= len(data)


def test_a_picture_becomes_packets_with_one_time_and_a_marker_on_the_last() -> None:
    packets = [parse(data) for data in packetise(b"x" * 3000, sequence=65_535, timestamp=2**32 + 7, ssrc=5)]
    assert [(p.sequence, p.timestamp, p.marker, len(p.payload)) for p in packets if p] == [
        (65_535, 7, False, 1400),
        (0, 7, False, 1400),
        (1, 7, True, 200),
    ]


# --- order -----------------------------------------------------------------------------------------------------


def run(order: list[int], start: int = 65_500) -> tuple[list[tuple[bool, int]], Reorder[int]]:
    ring: Reorder[int] = Reorder()
    out: list[tuple[bool, int]] = []
    for at, number in enumerate(order):
        out += ring.push((start + number) & 0xFFFF, number, at * 0.001)
    out += ring.expire(len(order) * 0.001 + 10)
    while ring.holding:
        out += ring.expire(len(order) + 1000.0)
    return out, ring


def test_packets_in_order_pass_over_the_wrap() -> None:
    out, ring = run(list(range(100)))
    assert out == [(False, n) for n in range(100)]
    assert (ring.lost, ring.doubles, ring.swapped) == (0, 0, 0)


@given(st.randoms(use_true_random=False))
def test_packets_swapped_within_the_ring_come_out_in_order(chance: random.Random) -> None:
    order = list(range(1, 300))
    for at in range(0, 290, 7):
        part = order[at : at + 6]
        chance.shuffle(part)
        order[at : at + 6] = part
    out, ring = run([0, *order])
    assert out == [(False, n) for n in range(300)]
    assert (ring.lost, ring.doubles) == (0, 0)


def test_doubled_packets_are_counted_and_left_out() -> None:
    out, ring = run([0, 1, 1, 3, 3, 2, 4, 2, 0])
    assert [n for _, n in out] == [0, 1, 2, 3, 4]
    assert ring.doubles == 4


def test_a_missing_packet_holds_the_rest_for_the_hold_time_and_no_longer() -> None:
    ring: Reorder[int] = Reorder()
    ring.push(1, 1, 0.0)
    assert ring.push(3, 3, 0.010) == []
    assert ring.push(4, 4, 0.050) == []
    assert ring.expire(0.209) == []
    assert ring.expire(0.2101) == [(True, 3), (False, 4)]
    assert ring.lost == 1
    assert ring.push(2, 2, 0.3) == []
    assert ring.doubles == 1


def test_holes_are_waited_for_side_by_side() -> None:
    """Ten losses in a second must not cost ten times the hold time: each hole is as old as what came behind it."""
    ring: Reorder[int] = Reorder(0.2)
    out: list[tuple[bool, int]] = []
    behind = []
    for number in range(1000):
        now = number * 0.004
        if number % 25 != 7:
            out += ring.push(number, number, now)
        out += ring.expire(now)
        behind.append(number - out[-1][1])
    assert max(behind) <= 55, "never further behind than the hold time"
    out += ring.expire(9.0)
    assert [number for _, number in out] == [number for number in range(1000) if number % 25 != 7]
    assert ring.lost == 40
    assert sum(gap for gap, _ in out) == 40


def test_a_burst_of_losses_is_counted_once() -> None:
    ring: Reorder[int] = Reorder()
    ring.push(0, 0, 0.0)
    out = ring.push(RING + 1, 7, 0.0)
    assert out == [(True, 7)]
    assert ring.lost == RING


def test_a_sender_that_begins_anew_is_followed_at_once() -> None:
    ring: Reorder[int] = Reorder()
    ring.push(100, 1, 0.0)
    ring.push(102, 2, 0.0)
    assert ring.push(100 + RESTART + 5_000, 3, 0.0) == [(True, 2), (True, 3)]
    assert ring.push(100, 4, 0.0) == [(True, 4)]
    assert ring.restarts == 2
    assert ring.lost == 1


@given(st.lists(st.integers(0, 65_535), max_size=200))
def test_no_order_of_numbers_breaks_the_ring(numbers: list[int]) -> None:
    ring: Reorder[int] = Reorder()
    count = 0
    for at, number in enumerate(numbers):
        count += len(ring.push(number, number, at * 0.01))
        assert ring.holding <= RING
    while ring.holding:
        count += len(ring.expire(1e9 + count))
    assert count + ring.doubles == len(numbers)


# --- framing ---------------------------------------------------------------------------------------------------

SSRC = 0x0BEBC201


def stream(count: int = 30) -> list[bytes]:
    chance = random.Random(4)
    return [
        write(RtpPacket(96, n % 5 == 4, n, n // 5 * 3600, SSRC, chance.randbytes(chance.randrange(20, 1400))))
        for n in range(count)
    ]


def feed(deframer: TcpDeframer, wire: bytes, step: int = 333) -> list[bytes]:
    out: list[bytes] = []
    for at in range(0, len(wire), step):
        out += deframer.feed(wire[at : at + step])
    return out


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1460, 1 << 20])
def test_packets_survive_any_split_of_the_connection(step: int) -> None:
    packets = stream()
    deframer = TcpDeframer()
    assert feed(deframer, b"".join(map(frame, packets)), step) == packets
    assert deframer.resyncs == 0


@pytest.mark.parametrize("step", [1, 333, 1 << 20])
def test_interleaved_framing_is_understood(step: int) -> None:
    packets = stream()
    wire = b"".join(b"$\0" + frame(packet) for packet in packets)
    assert feed(TcpDeframer(), wire, step) == packets


@pytest.mark.parametrize("step", [1, 100, 333, 1 << 20])
@pytest.mark.parametrize("fill", [b"\0", b"\x01", b"\xff", b"EHOME"])
def test_a_preamble_of_256_bytes_is_passed_over(step: int, fill: bytes) -> None:
    packets = stream()
    preamble = (fill * 256)[:256]
    assert feed(TcpDeframer(), preamble + b"".join(map(frame, packets)), step)[-29:] == packets[-29:]


@pytest.mark.parametrize("at", range(3, 20))
@pytest.mark.parametrize("junk", [b"\0", b"\x80\x60", b"\xff\xff\xff", b"\0\x05abcde", b"\x80" * 40])
def test_after_junk_the_next_packets_are_found(at: int, junk: bytes) -> None:
    packets = stream()
    wire = b"".join([*map(frame, packets[:at]), junk, *map(frame, packets[at:])])
    out = feed(TcpDeframer(), wire)
    assert out[:at] == packets[:at]
    assert out[-5:] == packets[-5:]
    assert len(out) >= len(packets) - 3


def test_a_cut_out_piece_costs_the_packets_around_it() -> None:
    packets = stream()
    wire = b"".join(map(frame, packets))
    out = feed(TcpDeframer(), wire[:5000] + wire[6000:])
    assert out[-10:] == packets[-10:]


def test_a_connection_without_rtp_is_given_up() -> None:
    deframer = TcpDeframer()
    with pytest.raises(FramingError):
        for _ in range(MAX_HUNT // 1000 + 100):
            deframer.feed(b"GET / HTTP/1.1\r\n" * 64)


@given(st.binary(max_size=3000), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_no_bytes_break_the_deframer(data: bytes, step: int) -> None:
    for packet in feed(TcpDeframer(), data, step):
        assert len(packet) >= 8


def test_rtcp_between_packets_is_handed_over_too() -> None:
    packets = stream(4)
    report = rtcp.sender_report(SSRC, 1 << 32, 0, 1, 1)
    wire = frame(packets[0]) + frame(report) + frame(packets[1])
    assert feed(TcpDeframer(), wire) == [packets[0], report, packets[1]]


# --- reports ---------------------------------------------------------------------------------------------------


def test_a_sender_report_is_read_and_its_clock_told() -> None:
    ntp = (rtcp.NTP_EPOCH + 1_700_000_000) << 32 | 1 << 31
    reports = rtcp.parse(rtcp.sender_report(7, ntp, 90_000, 5, 6) + rtcp.goodbye(7))
    assert reports == [rtcp.SenderReport(7, ntp, 90_000, 5, 6), rtcp.Goodbye(7)]
    assert isinstance(reports[0], rtcp.SenderReport)
    assert reports[0].wall_us == 1_700_000_000_500_000
    assert reports[0].middle == ntp >> 16 & 0xFFFFFFFF


def test_a_receiver_report_has_the_layout_of_the_rfc() -> None:
    wire = rtcp.receiver_report(
        1, 2, fraction_lost=3, lost=4, highest=5, jitter=6, last_report=7, delay=8, cname="safecity"
    )
    assert (
        wire[:32].hex()
        == "81c90007" + "00000001" + "00000002" + "03000004" + "00000005" + "00000006" + "0000000700000008"
    )
    assert wire[32:].hex() == "81ca0004" + "00000001" + "0108" + b"safecity".hex() + "0000"
    assert len(wire) % 4 == 0


@given(st.binary(max_size=200))
def test_no_bytes_break_the_report_reader(data: bytes) -> None:
    rtcp.parse(data)
    rtcp.parse(b"\x81\xc8" + data)
