"""Idempotency-Key: a request that is sent twice is done once, and answered the same."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Header
from pydantic import BaseModel

from safecity.core.ground.access.api import Actor
from safecity.core.ground.settings.once import recall, remember
from safecity.web.services import Services

Once = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]
T = TypeVar("T", bound=BaseModel)


async def once(here: Services, who: Actor, route: str, key: str, shape: type[T], work: Callable[[], Awaitable[T]]) -> T:
    """The kept answer of this key, else the work's. Answers are kept sealed for a day: some hold a password."""
    if not key:
        return await work()
    place = f"{who.user}/{route}/{key}"
    kept = await here.database.read(lambda tx: recall(tx, place, who.at))
    if kept is not None:
        return shape.model_validate_json(here.vault.open(base64.b64decode(kept), place))
    answer = await work()
    sealed = base64.b64encode(here.vault.seal(answer.model_dump_json(), place)).decode()
    await here.database.write(lambda tx: remember(tx, place, sealed, who.at))
    return answer
