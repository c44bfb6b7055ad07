"""What the event socket tells a browser: one of these per message, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from safecity.core.ground.channels.api import ChannelState
from safecity.web.shapes import Answer, OptionalMoment, Params


class EventOut(Answer):
    """A fact. `kind` ends in `.changed` where only that something changed is told: ask for it as always.

    `body` travels with `alarm.received`, `stream.lost` and `stream.recovered`, of others it is empty.
    """

    kind: str
    subject: str
    id: str = ""
    at: OptionalMoment = None
    mode: str = "live"
    body: dict[str, Any] = Field(default_factory=dict[str, Any])


class PushedEvent(Answer):
    """An event; `position` is what to come back with as `after`, 0 where there is nothing to come back to."""

    type: Literal["event"] = "event"
    position: int = 0
    event: EventOut


class PushedChannel(Answer):
    """How a channel stands now."""

    type: Literal["channel"] = "channel"
    id: str
    state: ChannelState
    step: str
    params: Params


class PushedLock(Answer):
    """Who steers a channel, null: nobody."""

    type: Literal["ptz_lock"] = "ptz_lock"
    channel: str
    owner: str | None
    owner_name: str | None
    until_us: int | None


class PushedReset(Answer):
    """Too much was missed: look again at everything."""

    type: Literal["reset"] = "reset"


class PushedAlive(Answer):
    """Nothing happened for a while."""

    type: Literal["alive"] = "alive"


Pushed = Annotated[
    PushedEvent | PushedChannel | PushedLock | PushedReset | PushedAlive,
    Field(discriminator="type", title="Pushed", description="A message of the event socket."),
]
