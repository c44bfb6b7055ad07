"""Scenes for those who answer for the rules: seen, drawn anew, taken away."""

from __future__ import annotations

from collections.abc import Callable

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels.api import find_channel, thing_of
from safecity.core.ground.scenes import store
from safecity.core.ground.scenes.store import Drawn
from safecity.core.ground.settings.api import touch_desired
from safecity.kit.errors import ConflictError, NotFoundError
from safecity.ports.database import Database, Tx
from safecity.vision.enforcement.scene import Scene

__all__ = ["Drawn", "Scenes"]


class Scenes:
    """A change reaches whoever looks at the camera within seconds; vehicles in sight are judged by what was drawn when
    they came."""

    def __init__(self, database: Database, changed: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._changed = changed

    async def see(self, who: Actor, channel: str) -> Drawn:
        """NotFoundError where nothing is drawn."""

        def work(tx: Tx) -> Drawn:
            find_channel(tx, who, Action.VIOLATION_SEE, channel)
            return _found(tx, channel)

        return await self._database.read(work)

    async def put(self, who: Actor, channel: str, scene: Scene, revision: int | None) -> Drawn:
        """Draw it anew, whole. ConflictError `changed_meanwhile`."""

        def work(tx: Tx) -> Drawn:
            of = find_channel(tx, who, Action.VIOLATION_CHANGE, channel)
            old = store.find(tx, channel)
            if revision is not None and revision != (old.revision if old is not None else 0):
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = Drawn(
                channel=channel, scene=scene, changed_by=who.name, changed_at=who.at,
                revision=old.revision + 1 if old is not None else 1,
            )  # fmt: skip
            store.save(tx, new, new=old is None)
            touch_desired(tx)
            note(
                tx, who, Action.VIOLATION_CHANGE, thing_of(of), of.name, scene=True, lanes=len(scene.lanes),
                stop_lines=len(scene.stop_lines), zones=len(scene.zones),
            )  # fmt: skip
            return new

        drawn = await self._database.write(work)
        self._changed()
        return drawn

    async def remove(self, who: Actor, channel: str) -> None:
        """Nothing is judged there any more."""

        def work(tx: Tx) -> None:
            of = find_channel(tx, who, Action.VIOLATION_CHANGE, channel)
            _found(tx, channel)
            store.remove(tx, channel)
            touch_desired(tx)
            note(tx, who, Action.VIOLATION_CHANGE, thing_of(of), of.name, scene=True, removed=True)

        await self._database.write(work)
        self._changed()


def _found(tx: Tx, channel: str) -> Drawn:
    found = store.find(tx, channel)
    if found is None:
        raise NotFoundError("nothing is drawn", code="not_found", params={"kind": "scene"})
    return found
