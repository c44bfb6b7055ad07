"""One word finds all that a request gave rise to: in logs, in events, in threads."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest

from safecity.kit.logs import configure_logging
from safecity.kit.trace import trace, traced
from safecity.model.facts.envelope import Event


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What `configure_logging` writes to."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    paper = io.StringIO()
    monkeypatch.setattr("sys.stderr", paper)
    configure_logging("info", "control")
    yield paper
    root.handlers[:] = before
    root.setLevel(level)


def test_a_log_line_names_its_request_also_before_a_traceback(printed: io.StringIO) -> None:
    log = logging.getLogger("safecity.test")
    with traced("rq_7"):
        log.info("stream opened channel=ch_1")
        try:
            raise ValueError("broken")
        except ValueError:
            log.exception("failed")
    log.info("nobody asked")
    lines = printed.getvalue().splitlines()
    assert lines[0].endswith("stream opened channel=ch_1 request=rq_7")
    assert lines[1].endswith("failed request=rq_7")
    assert lines[2].startswith("Traceback")
    assert lines[-1].endswith("nobody asked")


@pytest.mark.parametrize("forged", ["a b", "x\nINFO forged", "x" * 65, "", "é"])
def test_what_is_no_plain_word_is_nobodys(forged: str) -> None:
    with traced(forged):
        assert trace() == ""


async def test_an_event_belongs_to_the_request_that_caused_it_also_in_a_task_it_left_behind() -> None:
    async def later() -> Event:
        return Event(kind="stream.open_failed", subject="ch_1", at=1, seen=1)

    with traced("rq_8"):
        task = asyncio.get_running_loop().create_task(later())
    assert (await task).correlation == "rq_8"
    assert (await later()).correlation == ""
