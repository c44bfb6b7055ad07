"""Whom an alarm is for: rights and seats both count, in a list as in a single answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from safecity.core.ground.access.api import REACHES, Action, Actor, Grant, Role, Thing
from safecity.core.ground.alarms.api import check_seats
from safecity.core.ground.alarms.audience import hearing_of
from safecity.core.ground.sql import Tags
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh

ME, OTHER = fresh("us"), fresh("us")
STATION, BUREAU, ELSEWHERE = (fresh("og") for _ in range(3))
AREAS = ("/", "/34/", "/34/3402/", "/35/")
SEATS = (
    f"user:{ME}", f"user:{OTHER}", *(f"organisation:{each}" for each in (STATION, BUREAU, ELSEWHERE)),
    *(f"role:{role}" for role in Role),
)  # fmt: skip
grants = st.builds(
    Grant, role=st.sampled_from(Role), area=st.sampled_from(AREAS), deny=st.integers(0, 4).map(lambda n: n == 0)
)
alarms = st.tuples(st.sampled_from(AREAS), st.frozensets(st.sampled_from(SEATS), max_size=3))
_engine = create_engine("sqlite://", poolclass=StaticPool)
_table = Table(
    "alarms", MetaData(), Column("n", Integer, primary_key=True), Column("area", Text), Column("organisation", Text),
    Column("audience", Tags),
)  # fmt: skip
_table.metadata.create_all(_engine)


def oracle(own: list[Grant], mine: set[str], area: str, audience: frozenset[str]) -> bool:
    """Written without looking at the code."""
    sees = [grant for grant in own if Action.ALARM_SEE in REACHES[grant.role] and area.startswith(grant.area)]
    if not [grant for grant in sees if not grant.deny] or [grant for grant in sees if grant.deny]:
        return False
    here = {f"role:{grant.role}" for grant in sees}
    return not audience or bool(audience & (mine | here))


@settings(max_examples=300, deadline=None)
@given(st.lists(grants, max_size=4), st.lists(alarms, min_size=1, max_size=8))
def test_list_and_answer_agree_with_the_oracle(own: list[Grant], raised: list[tuple[str, frozenset[str]]]) -> None:
    hears = hearing_of(Actor(ME, "me", "se", tuple(own), at=100), [STATION, BUREAU])
    mine = {f"user:{ME}", f"organisation:{STATION}", f"organisation:{BUREAU}"}
    expected = [n for n, (area, audience) in enumerate(raised) if oracle(own, mine, area, audience)]
    single = [n for n, (area, audience) in enumerate(raised) if hears.hears(audience, Thing("alarm", area))]
    assert single == expected
    with _engine.connect() as connection:
        rows = [
            {"n": n, "area": area, "organisation": "/", "audience": seats} for n, (area, seats) in enumerate(raised)
        ]
        connection.execute(insert(_table), rows)
        condition = hears.condition(_table.c.audience, _table.c.area, _table.c.organisation)
        found = connection.execute(select(_table.c.n).where(condition).order_by(_table.c.n)).scalars().all()
        connection.rollback()
    assert list(found) == expected


@pytest.mark.parametrize("seat", ["", "user:", "user:og_1", "role:reporter", "role:king", f"team:{ME}", f"user:{ME}x"])
def test_what_is_no_seat_is_refused(seat: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_seats(frozenset({seat}))
    assert refused.value.code == "seat_invalid"


def test_seats_are_people_organisations_and_roles() -> None:
    seats = frozenset({f"user:{ME}", f"organisation:{STATION}", "role:operator"})
    assert check_seats(seats) == seats
    with pytest.raises(InvalidError):
        check_seats(frozenset(f"user:{fresh('us')}" for _ in range(51)))
