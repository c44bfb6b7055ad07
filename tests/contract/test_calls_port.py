"""One body for every engine of the port `Calls`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.kit.errors import ForbiddenError, InvalidError, UnavailableError
from safecity.kit.trace import trace, traced
from safecity.model.facts.media_calls import (
    AskStreams,
    CloseStream,
    Done,
    EndSessions,
    Message,
    StreamState,
    WatchStreams,
)
from safecity.model.values.media import Quality
from safecity.ports.calls import Calls, CallServer


class Pair:
    def __init__(self, calls: Calls, server: CallServer) -> None:
        self.calls, self.server = calls, server


def unix(folder: Path) -> Pair:
    """Sockets in a folder."""
    return Pair(UnixCalls(folder), UnixCallServer(folder))


ENGINES: dict[str, Callable[[Path], Pair]] = {"unix": unix}


@pytest.fixture(params=ENGINES)
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    pair = ENGINES[request.param](tmp_path)
    yield pair
    await pair.calls.close()
    await pair.server.close()
    await asyncio.sleep(0)


def state(number: int) -> StreamState:
    return StreamState(channel=f"ch_{number}", quality=Quality.MAIN, state="running", wanted=True)


async def test_an_answer_comes_back_and_an_error_is_raised_at_the_caller(pair: Pair) -> None:
    async def end(message: EndSessions) -> Message:
        if message.sessions:
            raise ForbiddenError("not you", code="not_you", params={"session": message.sessions[0]})
        return Done()

    await pair.server.serve("media-0", {EndSessions: end}, {})
    assert await pair.calls.call("media-0", EndSessions(sessions=()), timeout=60) == Done()
    with pytest.raises(ForbiddenError) as caught:
        await pair.calls.call("media-0", EndSessions(sessions=("s1",)), timeout=60)
    assert (caught.value.code, caught.value.params) == ("not_you", {"session": "s1"})


async def test_a_duty_that_is_not_there_is_unavailable_and_found_again_when_it_comes(pair: Pair) -> None:
    with pytest.raises(UnavailableError) as caught:
        await pair.calls.call("signal", AskStreams(), timeout=1)
    assert caught.value.code == "duty_down"

    async def done(_: AskStreams) -> Message:
        return Done()

    await pair.server.serve("signal", {AskStreams: done}, {})
    assert await pair.calls.call("signal", AskStreams(), timeout=60) == Done()


async def test_a_late_answer_ends_at_the_deadline_and_cancels_the_work(pair: Pair) -> None:
    cancelled = asyncio.Event()

    async def never(_: AskStreams) -> Message:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Done()

    await pair.server.serve("media-0", {AskStreams: never}, {})
    with pytest.raises(UnavailableError):
        await pair.calls.call("media-0", AskStreams(), timeout=0.05)
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_question_nobody_answers_is_refused_by_name(pair: Pair) -> None:
    await pair.server.serve("media-0", {}, {})
    with pytest.raises(InvalidError) as caught:
        await pair.calls.call("media-0", AskStreams(), timeout=60)
    assert caught.value.code == "call_unknown"


async def test_a_stream_gives_all_in_order_and_closes_its_source_when_the_reader_leaves(pair: Pair) -> None:
    closed = asyncio.Event()

    async def watch(_: WatchStreams) -> AsyncGenerator[Message]:
        try:
            for number in range(10):
                yield state(number)
            await asyncio.Event().wait()
        finally:
            closed.set()

    await pair.server.serve("media-0", {}, {WatchStreams: watch})
    seen: list[Message] = []
    async with contextlib.aclosing(pair.calls.stream("media-0", WatchStreams())) as states:
        async for item in states:
            seen.append(item)
            if len(seen) == 10:
                break
    assert seen == [state(number) for number in range(10)]
    await asyncio.wait_for(closed.wait(), 5)


async def test_when_the_other_process_dies_callers_hear_of_it_at_once(pair: Pair) -> None:
    started = asyncio.Event()

    async def hang(_: CloseStream) -> Message:
        started.set()
        await asyncio.Event().wait()
        return Done()

    await pair.server.serve("media-0", {CloseStream: hang}, {})
    waiting = asyncio.ensure_future(
        pair.calls.call("media-0", CloseStream(channel="ch_1", quality=Quality.MAIN), timeout=60)
    )
    await asyncio.wait_for(started.wait(), 5)
    await pair.server.close()
    with pytest.raises(UnavailableError) as caught:
        await asyncio.wait_for(waiting, 60)
    assert caught.value.code == "duty_gone"


async def test_a_frame_over_the_limit_is_refused_before_it_is_sent(pair: Pair) -> None:
    await pair.server.serve("media-0", {}, {})
    with pytest.raises(InvalidError) as caught:
        await pair.calls.call("media-0", EndSessions(sessions=("x" * 2_000_000,)), timeout=60)
    assert caught.value.code == "call_too_large"


async def test_the_request_under_way_goes_along_and_ends_with_the_call(pair: Pair) -> None:
    seen: list[str] = []

    async def end(message: EndSessions) -> Message:
        seen.append(trace())
        return Done()

    async def watch(message: WatchStreams) -> AsyncGenerator[Message]:
        seen.append(trace())
        yield state(1)

    await pair.server.serve("media-0", {EndSessions: end}, {WatchStreams: watch})
    with traced("rq_one"):
        await pair.calls.call("media-0", EndSessions(sessions=()), timeout=60)
        async with contextlib.aclosing(pair.calls.stream("media-0", WatchStreams())) as items:
            assert [item async for item in items] == [state(1)]
    await pair.calls.call("media-0", EndSessions(sessions=()), timeout=60)
    assert seen == ["rq_one", "rq_one", ""]
