"""When a dead duty comes back."""

from __future__ import annotations

from safecity.server.restart import RestartPolicy


def test_the_first_deaths_are_mended_at_once() -> None:
    policy = RestartPolicy()
    assert policy.died(100.0) - 100.0 < 0.1
    assert policy.died(110.0) - 110.0 < 0.1


def test_a_duty_that_keeps_dying_is_tried_later_and_later_but_never_given_up() -> None:
    policy = RestartPolicy()
    now, waits = 0.0, []
    for _ in range(12):
        at = policy.died(now)
        waits.append(at - now)
        now = at
    assert waits[3:8] == sorted(waits[3:8])
    assert all(wait > 1.0 for wait in waits[-4:])
    assert max(waits) <= 10.001


def test_three_deaths_in_a_minute_are_called_failing_and_forgotten_later() -> None:
    policy = RestartPolicy()
    for at in (0.0, 10.0, 20.0):
        policy.died(at)
    assert policy.failing(30.0)
    assert not policy.failing(75.0)
