"""States of devices follow the order in which a duty told them, whatever the clocks do meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

CODE = "34020000001320000001"


@pytest.fixture
async def device(admin: Any) -> str:
    made = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    return made["id"]


class Signal:
    """The duty `signal` in one of its runs: counts what it tells."""

    def __init__(self, house: Any, device: str, run: str, node: str = "signal") -> None:
        self._house, self._device, self._run, self._origin = house, device, run, f"{CODE}/{node}"
        self._number = 0

    async def tells(self, what: str, number: int = 0, **body: Any) -> None:
        self._number += 1
        body = {"device": self._device, "code": CODE, "address": "10.0.0.9:5060", **body}
        await self._house.publish(
            f"device.{what}", self._device, body, origin=self._origin, incarnation=self._run,
            number=number or self._number,
        )  # fmt: skip


async def state(admin: Any, device: str) -> str:
    return (await admin.ok("GET", f"devices/{device}"))["state"]


async def test_a_clock_that_is_set_back_freezes_no_state(house: Any, admin: Any, device: str) -> None:
    signal = Signal(house, device, "ru_1")
    await signal.tells("went_online")
    house.clock.step_wall(-3600)
    await signal.tells("went_offline", why="keepalive")
    assert await state(admin, device) == "offline"
    house.clock.step_wall(-3600)
    await signal.tells("refused", reason="wrong_password")
    assert await state(admin, device) == "refused"
    await signal.tells("went_online")
    assert await state(admin, device) == "online"
    shown = (await admin.ok("GET", f"devices/{device}"))["since"]
    house.clock.advance(60)
    await signal.tells("went_offline")
    assert (await admin.ok("GET", f"devices/{device}"))["since"] > shown


async def test_what_comes_late_or_twice_from_the_same_run_changes_nothing(house: Any, admin: Any, device: str) -> None:
    signal = Signal(house, device, "ru_1")
    await signal.tells("went_online", number=7)
    await signal.tells("went_offline", number=6)
    await signal.tells("went_offline", number=7)
    assert await state(admin, device) == "online"
    await signal.tells("went_offline", number=8)
    assert await state(admin, device) == "offline"


async def test_a_new_run_counts_anew_and_is_believed(house: Any, admin: Any, device: str) -> None:
    before, after = Signal(house, device, "ru_1"), Signal(house, device, "ru_2")
    await before.tells("went_online", number=1000)
    await after.tells("went_offline", number=1)
    assert await state(admin, device) == "offline"


async def test_the_duty_a_device_has_left_no_longer_speaks_for_it(house: Any, admin: Any, device: str) -> None:
    one, two = Signal(house, device, "ru_1", "signal-1"), Signal(house, device, "ru_2", "signal-2")
    await one.tells("went_online")
    await two.tells("went_online")
    await one.tells("went_offline", why="expired")
    assert await state(admin, device) == "online"
    await two.tells("went_offline", why="expired")
    assert await state(admin, device) == "offline"
    await one.tells("went_online")
    assert await state(admin, device) == "online"


async def test_a_new_code_of_the_platform_is_no_other_duty(house: Any, admin: Any, device: str) -> None:
    signal = Signal(house, device, "ru_1")
    await signal.tells("went_online")
    signal._origin = "35010000002000000001/signal"
    await signal.tells("went_offline")
    assert await state(admin, device) == "offline"


async def test_who_does_not_count_is_taken_in_the_order_of_the_bus(house: Any, admin: Any, device: str) -> None:
    await house.online(device, CODE)
    house.clock.step_wall(-600)
    await house.publish("device.went_offline", device, {"device": device, "code": CODE, "why": "expired"})
    assert await state(admin, device) == "offline"
