"""Searching recordings for movement by the API: what is asked of the slot, what is told, what is written down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from safecity.kit.errors import ExhaustedError, UnavailableError
from safecity.model.facts.vision_calls import MovementFound, MovementSeen, NotThere, SearchMovement
from safecity.model.values.media import Quality
from safecity.web.leaving import while_there

PASSWORD = "correct horse battery"
CODE = "34020000001320000001"
START, END = 1_767_312_000_000_000, 1_767_315_600_000_000
RECT = {"left": 0.1, "top": 0.2, "right": 0.5, "bottom": 0.6}
WISH = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-02T01:00:00Z", "regions": [RECT]}
SEEN = MovementSeen(START + 4, START + 9, START + 6, 0.25, (0.1, 0.2, 0.3, 0.4))


@pytest.fixture
async def channel(house: Any, admin: Any) -> str:
    house.services.web = replace(house.services.web, vision=("vision-0", "vision-1"))
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "gate", "ptz_type": 1})
    return (await admin.ok("GET", "channels"))["items"][0]["id"]


def pages(ask: SearchMovement) -> MovementFound:
    """Two of them; the second begins in the middle."""
    gaps = (NotThere(START + 1, START + 2, "camera"),)
    if ask.start == START:
        return MovementFound((SEEN,), START + 50, 30, 10, 2, 2_000_000, gaps, 7_000_000)
    return MovementFound((), 0, 5, 0, 0, 2_000_000, ())


async def test_a_search_goes_page_by_page_and_tells_what_it_looked_at(house: Any, admin: Any, channel: str) -> None:
    house.calls.answers[SearchMovement] = pages
    first = await admin.ok("POST", f"channels/{channel}/movement", WISH)
    assert first["items"] == [
        {
            "start_us": START + 4, "end_us": START + 9, "peak_us": START + 6, "strength": 0.25, "everywhere": False,
            "box": {"left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}, "precise": False,
        }
    ]  # fmt: skip
    assert first["looked_at"] == {
        "start_us": START, "end_us": START + 50, "frames": 30, "kept": 10, "unreadable": 2, "step_us": 2_000_000,
        "gaps": [{"start_us": START + 1, "end_us": START + 2, "cause": "camera"}],
        "missing_us": 7_000_000, "dismissed": 0,
    }  # fmt: skip
    second = await admin.ok("POST", f"channels/{channel}/movement", {**WISH, "cursor": first["next"]})
    assert second["next"] is None
    assert second["looked_at"]["start_us"] == START + 50
    assert second["looked_at"]["end_us"] == END
    asked = house.calls.of(SearchMovement)
    assert [one.start for one in asked] == [START, START + 50]
    assert {one.quality for one in asked} == {Quality.MAIN}
    assert asked[0].regions == ((0.1, 0.2, 0.5, 0.6),)
    assert asked[0].volumes == (str(house.services.web.data_dir / "volumes/main"),)
    slots = {address for address, message in house.calls.asked if isinstance(message, SearchMovement)}
    assert len(slots) == 1, "always the slot that keeps what it computed"


async def test_an_exact_search_is_asked_for_as_one_and_tells_what_it_dismissed(
    house: Any, admin: Any, channel: str
) -> None:
    exact = MovementSeen(START + 4, START + 9, START + 6, 0.25, (0.1, 0.2, 0.3, 0.4), precise=True)
    house.calls.answers[SearchMovement] = MovementFound((exact,), 0, 30, 0, 0, 2_000_000, (), dismissed=3)
    page = await admin.ok("POST", f"channels/{channel}/movement", {**WISH, "precise": True})
    assert [one["precise"] for one in page["items"]] == [True]
    assert page["looked_at"]["dismissed"] == 3
    assert [one.precise for one in house.calls.of(SearchMovement)] == [True]


async def test_who_searched_what_is_written_down_once_and_with_the_reason(house: Any, admin: Any, channel: str) -> None:
    house.calls.answers[SearchMovement] = pages
    await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "roles": ["operator"]})
    li = house.client("10.0.0.8")
    await li.sign_in("li")
    first = await li.ok("POST", f"channels/{channel}/movement", {**WISH, "reason": "case 7"})
    await li.ok("POST", f"channels/{channel}/movement", {**WISH, "reason": "case 7", "cursor": first["next"]})
    await admin.ok("POST", f"channels/{channel}/movement", {**WISH, "cursor": first["next"]})
    written = (await admin.ok("GET", "audit?only=watching"))["items"]
    found = [one for one in written if one["action"] == "movement.search"]
    assert [(one["actor_name"], one["reason"]) for one in found] == [("root", ""), ("li", "case 7")]
    assert found[1]["object"] == channel
    assert found[1]["details"] == {"start": START, "end": END}
    await li.ok("POST", f"channels/{channel}/movement", {**WISH, "reason": "curious"})
    assert (await admin.ok("GET", "audit?only=watching"))["items"][0]["reason"] == "curious"  # another search


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"regions": []}, "field"), ({"regions": [RECT] * 9}, "field"),
        ({"regions": [{**RECT, "right": 0.1}]}, "field"),
        ({"regions": [{**RECT, "right": 1.5}]}, "field"), ({"end": "2026-01-02T00:00:00Z"}, "range_invalid"),
        ({"end": "2026-01-12T00:00:00Z"}, "range_invalid"), ({"cursor": "WzFd"}, "cursor_invalid"),
        ({"cursor": "x"}, "cursor_invalid"), ({"sensitivity": "huge"}, "field"),
    ],
)  # fmt: skip
async def test_what_is_no_search_is_refused(
    house: Any, admin: Any, channel: str, wrong: dict[str, Any], code: str
) -> None:
    answer = await admin.ask("POST", f"channels/{channel}/movement", {**WISH, **wrong})
    assert answer.status_code in (400, 422), answer.text
    assert code == "field" or answer.json()["code"] == code
    assert house.calls.of(SearchMovement) == []


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (UnavailableError("x", code="vision_not_installed"), 503, "vision_not_installed"),
        (UnavailableError("x", code="decoder_missing"), 503, "decoder_missing"),
        (ExhaustedError("x", code="movement_busy", params={"seconds": 5}), 429, "movement_busy"),
    ],
)
async def test_where_nothing_can_be_searched_it_says_why(
    house: Any, admin: Any, channel: str, failure: Exception, status: int, code: str
) -> None:
    house.calls.answers[SearchMovement] = failure
    answer = await admin.ask("POST", f"channels/{channel}/movement", WISH)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_without_analysis_it_says_so(house: Any, admin: Any, channel: str) -> None:
    house.services.web = replace(house.services.web, vision=())
    answer = await admin.ask("POST", f"channels/{channel}/movement", WISH)
    assert (answer.status_code, answer.json()["code"]) == (503, "vision_off")
    assert "switched off" in answer.json()["detail"]


class Line:
    """A request whose connection ends when the test says so."""

    def __init__(self) -> None:
        self.ends = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.ends.wait()
        return {"type": "http.disconnect"}


async def test_whoever_hangs_up_stops_the_work() -> None:
    line: Any = Line()
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    asking = asyncio.create_task(while_there(line, work()))
    await begun.wait()
    line.ends.set()
    with pytest.raises(UnavailableError) as caught:
        await asking
    assert caught.value.code == "asker_left"
    await stopped.wait()


async def test_whoever_waits_gets_the_answer_or_the_reason() -> None:
    async def good() -> int:
        return 7

    async def bad() -> int:
        raise ExhaustedError("x", code="movement_busy")

    line: Any = Line()
    assert await while_there(line, good()) == 7
    with pytest.raises(ExhaustedError):
        await while_there(line, bad())
