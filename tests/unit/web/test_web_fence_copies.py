"""Fences in terminals: each has what it is to have, is told when it is here, and says why where it has not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from safecity.kit.errors import RefusedError, UnavailableError
from safecity.model.facts.media_calls import Done
from safecity.model.facts.vehicle_calls import EraseFence, WriteFence

PHONES = ("13900000001", "13900000002")
CIRCLE = {
    "name": "Yard", "kind": "circle", "points": [[118.37, 31.33]], "metres": 200, "on_enter": True,
    "to_terminals": True, "from_minute": 390, "until_minute": 1320,
}  # fmt: skip


@pytest.fixture
async def buses(house: Any, admin: Any) -> list[str]:
    """Two vehicles; the second is not here."""
    made = [(await admin.ok("POST", "devices", {"kind": "jt808", "code": phone}))["id"] for phone in PHONES]
    await house.online(made[0], PHONES[0])
    return made


async def step(house: Any) -> int:
    return await house.services.fence_writer.step()


async def states(admin: Any, fence: dict[str, Any]) -> list[str]:
    return sorted(one["state"] for one in (await admin.ok("GET", f"fences/{fence['id']}/terminals"))["items"])


async def test_it_is_written_once_and_the_one_that_was_away_is_told_when_it_comes(
    house: Any, admin: Any, buses: list[str]
) -> None:
    fence = await admin.ok("POST", "fences", CIRCLE)
    assert await states(admin, fence) == ["waiting", "waiting"]
    assert await step(house) == 1
    assert await states(admin, fence) == ["waiting", "written"]
    (order,) = house.calls.of(WriteFence)
    assert (order.device, order.number, order.kind, order.metres) == (buses[0], fence["number"], "circle", 200)
    assert (order.begins, order.ends) == ("063000", "220000")
    assert await step(house) == 0
    await house.online(buses[1], PHONES[1])
    assert await step(house) == 1
    assert await states(admin, fence) == ["written", "written"]
    said = [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == "fence.write"]
    assert {one["object"] for one in said} == set(buses)


async def test_a_change_is_written_anew_and_what_is_taken_away_is_erased(
    house: Any, admin: Any, buses: list[str]
) -> None:
    fence = await admin.ok("POST", "fences", CIRCLE)
    await step(house)
    await admin.ok("PATCH", f"fences/{fence['id']}", {"metres": 300}, headers={"if-match": '"1"'})
    assert await states(admin, fence) == ["waiting", "waiting"]
    await step(house)
    assert [order.metres for order in house.calls.of(WriteFence)] == [200, 300]
    assert house.calls.of(EraseFence) == [EraseFence(buses[0], fence["number"], "circle")]
    await admin.ok("DELETE", f"fences/{fence['id']}")
    await step(house)
    assert len(house.calls.of(EraseFence)) == 2
    assert await step(house) == 0


async def test_its_number_is_not_given_again_while_a_terminal_may_have_it(
    house: Any, admin: Any, buses: list[str]
) -> None:
    fence = await admin.ok("POST", "fences", CIRCLE)
    await step(house)
    await admin.ok("DELETE", f"fences/{fence['id']}")
    house.calls.answers[EraseFence] = UnavailableError("-", code="terminal_no_answer")
    await step(house)
    assert (await admin.ok("POST", "fences", CIRCLE))["number"] != fence["number"]


async def test_of_another_kind_the_one_it_was_is_erased_also_when_the_terminal_did_not_answer_at_first(
    house: Any, admin: Any, buses: list[str]
) -> None:
    fence = await admin.ok("POST", "fences", {**CIRCLE, "vehicles": [buses[0]]})
    await step(house)
    house.calls.answers[EraseFence] = UnavailableError("-", code="terminal_no_answer")
    corners = {"kind": "rectangle", "points": [[118.36, 31.32], [118.38, 31.34]], "metres": 0}
    await admin.ok("PATCH", f"fences/{fence['id']}", corners, headers={"if-match": '"1"'})
    await step(house)
    assert await states(admin, fence) == ["failed"]
    del house.calls.answers[EraseFence]
    house.clock.advance(601)
    await step(house)
    assert await states(admin, fence) == ["written"]
    assert [order.kind for order in house.calls.of(EraseFence)] == ["circle", "circle"]
    assert [order.kind for order in house.calls.of(WriteFence)] == ["circle", "rectangle"]
    await admin.ok("DELETE", f"fences/{fence['id']}")
    await step(house)
    assert house.calls.of(EraseFence)[-1].kind == "rectangle"


async def test_a_terminal_that_lets_us_wait_holds_up_none_of_the_others(
    house: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [
        (await admin.ok("POST", "devices", {"kind": "jt808", "code": f"{13900000001 + n}"}))["id"] for n in range(40)
    ]
    for number, device in enumerate(made):
        await house.online(device, f"{13900000001 + number}")
    await admin.ok("POST", "fences", CIRCLE)
    told, everybody_else = set[str](), asyncio.Event()

    async def call(_: str, order: WriteFence, *, timeout: float) -> Done:
        told.add(order.device)
        if len(told) == len(made):
            everybody_else.set()
        if order.device == made[0]:
            await everybody_else.wait()
        return Done()

    monkeypatch.setattr(house.calls, "call", call)
    async with asyncio.timeout(60):
        assert await step(house) == len(made)


async def test_a_terminal_that_knows_no_fences_says_so_and_is_asked_again_later(
    house: Any, admin: Any, buses: list[str]
) -> None:
    house.calls.answers[WriteFence] = RefusedError("3", code="terminal_unsupported")
    fence = await admin.ok("POST", "fences", {**CIRCLE, "vehicles": [buses[0]]})
    await step(house)
    (copy,) = (await admin.ok("GET", f"fences/{fence['id']}/terminals"))["items"]
    assert (copy["state"], copy["sentence"]) == ("failed", "This terminal cannot do that.")
    assert await step(house) == 0
    house.clock.advance(601)
    del house.calls.answers[WriteFence]
    assert await step(house) == 1
    assert await states(admin, fence) == ["written"]
    assert house.calls.of(EraseFence) == []


@pytest.mark.parametrize("change", [{"enabled": False}, {"to_terminals": False}, {"vehicles": "others"}])
async def test_one_that_is_switched_off_kept_here_or_meant_for_others_is_erased(
    house: Any, admin: Any, buses: list[str], change: dict[str, Any]
) -> None:
    fence = await admin.ok("POST", "fences", CIRCLE)
    await step(house)
    wish = {"vehicles": [buses[1]]} if "vehicles" in change else change
    await admin.ok("PATCH", f"fences/{fence['id']}", wish, headers={"if-match": '"1"'})
    await step(house)
    assert house.calls.of(EraseFence) == [EraseFence(buses[0], fence["number"], "circle")]
    assert [order.device for order in house.calls.of(WriteFence)] == [buses[0]]
    assert await step(house) == 0


async def test_what_a_removed_device_had_is_forgotten(house: Any, admin: Any, buses: list[str]) -> None:
    await admin.ok("POST", "fences", CIRCLE)
    await step(house)
    assert await house.services.fence_writer.sweep() == 0
    await admin.ok("DELETE", f"devices/{buses[0]}")
    assert [await house.services.fence_writer.sweep() for _ in range(2)] == [1, 0]


async def test_a_database_that_is_away_for_a_moment_ends_nothing_and_it_is_said_again(
    house: Any, admin: Any, buses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fence = await admin.ok("POST", "fences", CIRCLE)

    async def away(_: Any) -> None:
        raise UnavailableError("full", code="database_full")

    with monkeypatch.context() as patched:
        patched.setattr(house.services.fence_writer._database, "write", away)
        await step(house)
    assert await states(admin, fence) == ["waiting", "waiting"]
    await step(house)
    assert await states(admin, fence) == ["waiting", "written"]
