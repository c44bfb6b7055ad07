"""Which areas places on roads lie in, and who is told of what happens there."""

from __future__ import annotations

from collections.abc import Iterable

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, allowed
from safecity.core.ground.places.api import Area, areas_by_path
from safecity.model.facts.traffic_calls import Point
from safecity.web.services import Services


class Places:
    """Which areas places lie in, as far as borders are drawn there."""

    def __init__(self, areas: dict[str, Area], paths: dict[Point, str]) -> None:
        self._areas = areas
        self._paths = paths

    def path(self, place: Point) -> str:
        """`/` where no border was drawn, and where several areas claim it that have nothing above them."""
        return self._paths.get(place, ROOT)

    def area(self, place: Point) -> Area | None:
        """The same."""
        return self._areas.get(self.path(place))


async def lying(here: Services, places: Iterable[Point]) -> Places:
    """Where these lie."""
    borders = await here.drawing.borders()
    found = {place: borders.area_at(*place) or ROOT for place in places} if borders.drawn else dict[Point, str]()
    paths = [*set(found.values())]
    areas = await here.database.read(lambda tx: areas_by_path(tx, paths)) if paths else {}
    return Places(areas, found)


def told_to(who: Actor, thing: Thing) -> bool:
    """Where a border was drawn roads are of those who may see traffic there; elsewhere whoever may see any is told."""
    return thing.area == ROOT or allowed(who, Action.TRAFFIC_SEE, thing)
