"""How the clock stands, as the application tells it."""

from __future__ import annotations

from typing import Literal, cast

from safecity.core.ground.timekeeping.api import Standing
from safecity.web.shapes import Answer, ClockSource, OptionalMoment
from safecity.web.texts import sentence

ClockState = Literal["unmeasured", "measuring", "good", "off", "disagreeing", "silent"]


class TimeServerOut(Answer):
    """One server; `at` is when it last answered, `sentence` says the `code`."""

    name: str
    at: OptionalMoment
    offset_us: int
    delay_us: int
    stratum: int
    code: str
    sentence: str


class ClockOut(Answer):
    """`offset_us` is what would have to be added to
    this machine's clock; `kept` whether its own time service says that it keeps it."""

    state: ClockState
    source: ClockSource
    sentence: str
    offset_us: int
    at: OptionalMoment
    kept: bool | None
    servers: list[TimeServerOut]


def clock_out(standing: Standing, language: str) -> ClockOut:
    """With words."""
    seconds = f"{standing.offset_us / 1e6:+.3f}"
    code = f"clock_{standing.state}"
    if standing.state == "unmeasured" and standing.kept is not None:
        code = "clock_kept" if standing.kept else "clock_not_kept"
    return ClockOut(
        state=cast("ClockState", standing.state),
        source=cast("ClockSource", standing.source),
        sentence=sentence(code, {"seconds": seconds}, language),
        offset_us=standing.offset_us,
        at=standing.at or None,
        kept=standing.kept,
        servers=[
            TimeServerOut(
                name=one.name,
                at=one.at or None,
                offset_us=one.offset_us,
                delay_us=one.delay_us,
                stratum=one.stratum,
                code=one.code,
                sentence=sentence(one.code, {"server": one.name}, language) if one.code else "",
            )
            for one in standing.servers
        ],
    )
