"""What other view libraries ask to be told, and who agreed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.images.api import Subscribed, SubscriptionState
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import Answer, Ask, Moment, Page, Words, read_cursor, write_cursor

routes = Routes("subscriptions")


class SubscriptionOut(Answer):
    """A wish of a library (GA/T 1400, Subscribe), in its own words. `address` is what was allowed: host and port.

    `delivered` objects arrived; `lost` did not: they or the subscription were past their time before, the library was
    locked out, or it would not take them.
    """

    id: str
    device: str
    subscribe_id: str
    title: str
    details: str
    applicant: str
    reason: str
    receive_addr: str
    begin: str
    end: str
    state: SubscriptionState
    address: str
    decided_by: str
    delivered: int
    lost: int
    last_error: str
    created_at: Moment
    revision: int


class DecisionAsk(Ask):
    """A word about it, for the audit. `revision`: of the wish that was looked at; the library may have changed it, and
    then nobody has agreed to what it says now."""

    reason: Annotated[Words, Field()] = ""
    revision: Annotated[int, Field(ge=1)] | None = None


@routes.get("/subscriptions", Action.SUBSCRIPTION_SEE)
async def list_subscriptions(
    who: Who,
    here: Here,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[SubscriptionOut]:
    """Newest first."""
    place = read_cursor(cursor, str)
    found = await here.images.page(who, before=place[0] if place else "", limit=limit + 1)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_subscription(one) for one in found[:limit]], next=more)


@routes.post("/subscriptions/{subscription}/accept", Action.SUBSCRIPTION_DECIDE)
async def accept_subscription(
    subscription: str, who: Who, here: Here, ask: DecisionAsk | None = None
) -> SubscriptionOut:
    """Let the library be told, at exactly the address it gave. A changed wish asks again."""
    ask = ask or DecisionAsk()
    done = await here.images.decide(who, subscription, accept=True, reason=ask.reason, revision=ask.revision)
    here.hub.changed([("subscription", subscription)])
    return _subscription(done)


@routes.post("/subscriptions/{subscription}/refuse", Action.SUBSCRIPTION_DECIDE)
async def refuse_subscription(
    subscription: str, who: Who, here: Here, ask: DecisionAsk | None = None
) -> SubscriptionOut:
    """Do not tell it, or no longer; what was still to be told is dropped."""
    ask = ask or DecisionAsk()
    done = await here.images.decide(who, subscription, accept=False, reason=ask.reason, revision=ask.revision)
    here.hub.changed([("subscription", subscription)])
    return _subscription(done)


def _subscription(one: Subscribed) -> SubscriptionOut:
    def said(name: str) -> str:
        value = one.body.get(name)
        return " ".join(str(value).split())[:500] if isinstance(value, str | int) else ""

    return SubscriptionOut(
        id=one.id, device=one.device, subscribe_id=one.subscribe_id, title=said("Title"),
        details=said("SubscribeDetail"), applicant=" ".join((said("ApplicantName"), said("ApplicantOrg"))).strip(),
        reason=said("Reason"), receive_addr=said("ReceiveAddr"), begin=said("BeginTime"), end=said("EndTime"),
        state=one.state, address=one.address, decided_by=one.decided_by, delivered=one.delivered, lost=one.lost,
        last_error=one.last_error, created_at=one.created_at, revision=one.revision,
    )  # fmt: skip
