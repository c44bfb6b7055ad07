"""Simple network time: bytes both ways, what a reply proves, and which replies prove nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.protocols import ntp
from safecity.protocols.ntp import Answer, Measured, Refusal

NONCE = 0x0123456789ABCDEF
NOW = 1_760_000_000_000_000
ANSWER = bytes.fromhex(
    "24 02 06 ec"  # no leap second, version 4, server; stratum 2; asked every 64 s; precision 2^-20 s
    "00 00 0a 3d"  # root delay 40 ms
    "00 00 05 1f"  # root dispersion 20 ms
    "c0 a8 01 01"  # reference 192.168.1.1
    "ec 90 d7 00 00 00 00 00"
    "01 23 45 67 89 ab cd ef"  # origin: our number
    "ec 90 d7 80 80 00 00 00"  # received
    "ec 90 d7 80 80 00 10 c7"  # sent a microsecond later
)
AT = ntp.to_us(0xEC90D78080000000, NOW)


def test_the_question_is_48_bytes_that_tell_no_time() -> None:
    asked = ntp.ask(NONCE)
    assert len(asked) == 48
    assert asked[0] == 0x23
    assert asked[1:40] == bytes(39)
    assert asked[40:] == NONCE.to_bytes(8, "big")


def test_an_answer_is_read_field_by_field() -> None:
    found = ntp.read_answer(ANSWER, NONCE)
    assert isinstance(found, Answer)
    assert (found.stratum, found.version, found.reference) == (2, 4, "192.168.1.1")
    assert found.distance_us == pytest.approx(40_000, abs=50), "half the delay and all of the dispersion"
    assert ntp.to_us(found.sent, NOW) - ntp.to_us(found.received, NOW) == 1


def test_what_stands_behind_the_48_bytes_is_not_looked_at() -> None:
    assert ntp.read_answer(ANSWER + b"\x00\x01\x00\x10" + bytes(12), NONCE) == ntp.read_answer(ANSWER, NONCE)


@pytest.mark.parametrize("asymmetry", [0, 5_000])
def test_the_offset_is_the_middle_of_both_ways(asymmetry: int) -> None:
    """This clock is 2 s behind; 10 ms there, 10 ms and a bit back."""
    answer = ntp.read_answer(ANSWER, NONCE)
    assert isinstance(answer, Answer)
    asked = AT - 2_000_000 - 10_000
    found = ntp.measure(answer, asked, asked + 20_000 + 1 + asymmetry)
    assert found.offset_us == pytest.approx(2_000_000 - asymmetry / 2, abs=2)
    assert found.delay_us == 20_000 + asymmetry


@pytest.mark.parametrize(
    ("at", "byte", "reason"),
    [
        (0, 0x23, "mode"),  # our own question come back
        (0, 0x25, "mode"),  # broadcast
        (0, 0x04, "version"),
        (0, 0x2C, "version"),  # version 5
        (0, 0xE4, "unsynchronised"),
        (1, 16, "unsynchronised"),
        (4, 0x00, None),
        (4, 0x01, None),
        (5, 0xFF, "far"),
        (24, 0x02, "other_question"),
    ],
)
def test_an_answer_that_proves_nothing_is_named(at: int, byte: int, reason: str | None) -> None:
    wrong = bytearray(ANSWER)
    wrong[at] = byte
    if at == 4 and byte:
        reason = "far"
    found = ntp.read_answer(bytes(wrong), NONCE)
    assert found == Refusal(reason) if reason else isinstance(found, Answer)


def test_a_kiss_of_death_says_why_and_an_empty_one_has_no_time() -> None:
    def kiss(letters: bytes) -> bytes:
        return ANSWER[:1] + b"\0" + ANSWER[2:12] + letters + ANSWER[16:]

    assert ntp.read_answer(kiss(b"RATE"), NONCE) == Refusal("kiss_rate")
    assert ntp.read_answer(kiss(b"\x01\x02\x03\x04"), NONCE) == Refusal("unsynchronised")
    assert ntp.read_answer(ANSWER[:32] + bytes(16), NONCE) == Refusal("no_time")


@pytest.mark.parametrize("size", range(48))
def test_a_cut_answer_is_short(size: int) -> None:
    assert ntp.read_answer(ANSWER[:size], NONCE) == Refusal("short")


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_a_refusal(data: bytes) -> None:
    found = ntp.read_answer(data, NONCE)
    if isinstance(found, Answer):
        ntp.measure(found, NOW, NOW + 1)


@given(st.integers(-2_000_000_000_000_000, 10_000_000_000_000_000))
def test_times_survive_the_way_there_and_back_over_the_end_of_the_era(us: int) -> None:
    """NTP's seconds begin again in February 2036."""
    for near in (us, us - 30 * 365 * 86_400_000_000, us + 30 * 365 * 86_400_000_000):
        assert abs(ntp.to_us(ntp.from_us(us), near) - us) <= 1


def test_both_sides_in_a_loop() -> None:
    question = ntp.ask(NONCE)
    reply = ntp.answer(question, NOW, NOW + 3)
    assert reply is not None
    found = ntp.read_answer(reply, NONCE)
    assert isinstance(found, Answer)
    assert ntp.measure(found, NOW, NOW + 3).offset_us == 0
    assert ntp.answer(reply, NOW, NOW) is None, "an answer is no question"
    assert ntp.answer(question[:47], NOW, NOW) is None


def test_the_clearest_answer_counts_and_of_servers_the_middle_one() -> None:
    slow, quick = Measured(900, 50_000, 2, ""), Measured(100, 1_000, 2, "")
    assert ntp.clearest([slow, quick]) is quick
    assert ntp.agreed([100, 120, 3_600_000_000]) == 120
    assert ntp.agreed([100, 200]) == 150
