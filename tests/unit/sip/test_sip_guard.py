"""How long rubbish is put up with: by way, then by host; of use is free; who goes on is cut off for longer."""

from __future__ import annotations

from safecity.protocols.sip.guard import Allowance, Forbearance, Patience, Way

LIMITS = Forbearance(
    of_way=Allowance(per_second=1, burst=5), of_host=Allowance(per_second=2, burst=12), seconds=10, longest_seconds=40,
    ways=3,
)  # fmt: skip


def overdo(patience: Patience, host: str, port: int, now: float, times: int = 6) -> list[Way]:
    return [way for _ in range(times) if (way := patience.try_it(host, port, now))]


def test_one_mad_device_does_not_silence_its_neighbour_behind_the_same_address() -> None:
    patience = Patience(LIMITS)
    assert overdo(patience, "10.0.0.1", 5060, 0.0, times=50) == [Way("10.0.0.1", 5060)]
    assert patience.try_it("10.0.0.1", 5061, 0.0) is None
    assert patience.cut_off == (Way("10.0.0.1", 5060),)


def test_a_little_rubbish_now_and_then_is_put_up_with_for_ever() -> None:
    patience = Patience(LIMITS)
    assert not [way for second in range(1000) if (way := patience.try_it("10.0.0.1", 5060, float(second)))]


def test_who_keeps_changing_its_ports_is_cut_off_as_a_host() -> None:
    patience = Patience(LIMITS)
    found = [way for port in range(1000, 1020) if (way := patience.try_it("10.0.0.1", port, 0.0))]
    assert found == [Way("10.0.0.1", 0)]


def test_who_goes_on_at_once_is_cut_off_for_longer_and_who_rested_is_not() -> None:
    patience = Patience(LIMITS)
    now, terms = 0.0, []
    for _ in range(4):
        assert overdo(patience, "10.0.0.1", 5060, now)
        began = now
        while not patience.expire(now):
            now += 1.0
        terms.append(now - began)
        now += 6.0  # patience has come back; the madness too
    assert terms == [10, 20, 40, 40]
    assert overdo(patience, "10.0.0.1", 5060, now + 1000)
    assert patience.expire(now + 1010)


def test_the_list_of_who_is_cut_off_has_an_end() -> None:
    patience = Patience(LIMITS)
    for last in range(5):
        overdo(patience, f"10.0.0.{last}", 5060, 0.0)
    assert patience.cut_off == tuple(Way(f"10.0.0.{last}", 5060) for last in (2, 3, 4))
