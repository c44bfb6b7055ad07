"""Rights: the decision, the list predicate in Python and the same predicate as SQL say the same as a plain oracle."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from safecity.core.ground.access.actions import REACHES, Action, Reach, Role
from safecity.core.ground.access.decide import Actor, Grant, Thing, allowed, may_grant, scope
from safecity.core.ground.access.where import where
from safecity.core.ground.sql import Tags

ORGANISATIONS = ["/", "/01a/", "/01a/01b/", "/01a0/", "/02c/"]
AREAS = ["/", "/34/", "/34/3402/", "/34/3402/340202/", "/34/3403/", "/340/", "/35/"]
TAGS = ["bridge", "50%_off", "学校", "a"]
ME, OTHER = "us_me", "us_other"

areas = st.sampled_from(AREAS)
tag_sets = st.frozensets(st.sampled_from(TAGS), max_size=2)
grants = st.builds(
    Grant,
    role=st.sampled_from(list(Role)),
    area=areas,
    tags=tag_sets,
    deny=st.booleans(),
    not_before=st.sampled_from([0, 50, 150]),
    not_after=st.sampled_from([0, 50, 150]),
    organisation=st.sampled_from(ORGANISATIONS),
)
things = st.builds(
    Thing,
    kind=st.just("thing"),
    area=st.sampled_from([*AREAS[1:], "/", ""]),
    tags=tag_sets,
    owner=st.sampled_from(["", ME, OTHER]),
    organisation=st.sampled_from(ORGANISATIONS),
)

_engine = create_engine("sqlite://", poolclass=StaticPool)
_table = Table(
    "things",
    MetaData(),
    Column("n", Integer, primary_key=True),
    Column("area", Text),
    Column("tags", Tags),
    Column("owner", Text),
    Column("organisation", Text),
)
_table.metadata.create_all(_engine)


def oracle(actor: Actor, action: Action, thing: Thing) -> bool:
    """Written without looking at the code: default deny, a deny wins."""
    granted = denied = False
    for grant in actor.grants:
        if actor.at < grant.not_before or (grant.not_after and actor.at >= grant.not_after):
            continue
        reach = REACHES[grant.role].get(action)
        if reach is None:
            continue
        lies = thing.area[: len(grant.area)] == grant.area
        belongs = thing.organisation[: len(grant.organisation)] == grant.organisation
        tagged = True if not grant.tags else len(grant.tags & thing.tags) > 0
        if not grant.deny and action is Action.AREA_SEE:
            belongs = tagged = True  # whoever may anything in an area sees its name
        if not grant.deny and action is Action.ORGANISATION_SEE:
            lies, tagged = thing.area != "", True
        covered = lies and belongs and tagged
        mine = thing.owner == actor.user
        if grant.deny:
            denied |= covered
        elif reach is Reach.OWN:
            granted |= mine
        else:
            personal = str(action).split(".")[0] in ("view", "session") or action is Action.EXPORT_SEE
            granted |= covered or (mine and personal)
    return granted and not denied


@settings(max_examples=300, deadline=None)
@given(st.lists(grants, max_size=4), st.sampled_from(list(Action)), st.lists(things, min_size=1, max_size=8))
def test_decision_predicate_and_sql_agree_with_the_oracle(
    own: list[Grant], action: Action, all_things: list[Thing]
) -> None:
    actor = Actor(ME, "me", "se", tuple(own), at=100)
    expected = [n for n, thing in enumerate(all_things) if oracle(actor, action, thing)]
    assert [n for n, thing in enumerate(all_things) if allowed(actor, action, thing)] == expected
    with _engine.connect() as connection:
        names = ("area", "tags", "owner", "organisation")
        rows = [{"n": n, **{name: getattr(t, name) for name in names}} for n, t in enumerate(all_things)]
        connection.execute(insert(_table), rows)
        condition = where(scope(actor, action), *(_table.c[name] for name in names))
        found = connection.execute(select(_table.c.n).where(condition).order_by(_table.c.n)).scalars().all()
        connection.rollback()
    assert list(found) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(grants, max_size=4), st.sampled_from(list(Action)), st.lists(things, min_size=1, max_size=8))
def test_a_table_that_lies_in_no_area_and_belongs_to_nobody_is_cut_the_same(
    own: list[Grant], action: Action, all_things: list[Thing]
) -> None:
    actor = Actor(ME, "me", "se", tuple(own), at=100)
    plain = [Thing("thing", owner=thing.owner) for thing in all_things]
    expected = [n for n, thing in enumerate(plain) if oracle(actor, action, thing)]
    with _engine.connect() as connection:
        rows = [{"n": n, "owner": t.owner} for n, t in enumerate(plain)]
        connection.execute(insert(_table), rows)
        condition = where(scope(actor, action), "/", owner=_table.c.owner)
        found = connection.execute(select(_table.c.n).where(condition).order_by(_table.c.n)).scalars().all()
        connection.rollback()
    assert list(found) == expected


def test_nobody_without_a_grant_may_do_anything() -> None:
    nobody = Actor(ME, "me", "se", (), at=100)
    assert not any(allowed(nobody, action, Thing("x", "/34/", owner=ME)) for action in Action)


def test_only_the_administrator_may_everything_and_a_viewer_changes_nothing() -> None:
    viewer = Actor(ME, "me", "se", (Grant(Role.VIEWER),), at=100)
    thing = Thing("x", "/34/", owner=OTHER)
    may = {action for action in Action if allowed(viewer, action, thing)}
    assert not {a for a in may if a.split(".")[-1] in ("change", "add", "delete", "steer", "make", "place", "release")}
    assert all(allowed(Actor(ME, "me", "se", (Grant(Role.ADMINISTRATOR),), at=1), action, thing) for action in Action)


def test_nobody_hands_out_more_than_they_hold() -> None:
    district = Actor(ME, "me", "se", (Grant(Role.ADMINISTRATOR, "/34/"),), at=100)
    assert may_grant(district, [Grant(Role.OPERATOR, "/34/3402/")])
    assert not may_grant(district, [Grant(Role.OPERATOR, "/")])
    assert not may_grant(district, [Grant(Role.VIEWER, "/34/"), Grant(Role.VIEWER, "/35/")])
    fenced = Actor(ME, "me", "se", (Grant(Role.ADMINISTRATOR), Grant(Role.ADMINISTRATOR, "/35/", deny=True)), at=1)
    assert not may_grant(fenced, [Grant(Role.VIEWER, "/35/01/")])
    assert not may_grant(fenced, [Grant(Role.VIEWER, "/")])
    bureau = Actor(ME, "me", "se", (Grant(Role.ADMINISTRATOR, organisation="/01a/"),), at=100)
    assert may_grant(bureau, [Grant(Role.OPERATOR, "/34/", organisation="/01a/01b/")])
    assert not may_grant(bureau, [Grant(Role.OPERATOR, "/34/")])
    assert not may_grant(bureau, [Grant(Role.OPERATOR, organisation="/01a0/")])
    denied = Grant(Role.ADMINISTRATOR, "/35/", organisation="/01a/01b/", deny=True)
    fenced = Actor(ME, "me", "se", (Grant(Role.ADMINISTRATOR), denied), at=1)
    assert not may_grant(fenced, [Grant(Role.VIEWER, "/", organisation="/01a/")])
    assert may_grant(
        fenced, [Grant(Role.VIEWER, "/34/", organisation="/01a/"), Grant(Role.VIEWER, "/35/", organisation="/02c/")]
    )


def test_nobody_hands_out_rights_for_longer_than_their_own_last() -> None:
    deputy = Actor(ME, "me", "se", (Grant(Role.ADMINISTRATOR, not_after=500),), at=100)
    assert may_grant(deputy, [Grant(Role.VIEWER, not_after=500), Grant(Role.VIEWER, not_after=200)])
    assert not may_grant(deputy, [Grant(Role.VIEWER)])
    assert not may_grant(deputy, [Grant(Role.VIEWER, not_after=501)])
