"""Fences as terminals have them (JT/T 808-2019, 8.39 to 8.46). Pure.

A terminal knows one span of time for a fence, the same each day, and no days of the week; coordinates of one
hemisphere. What it reports when it judges by itself are the alarm bits 20 and 21 and item 0x12.
"""

from __future__ import annotations

from typing import Any, Final

from safecity.kit.errors import InvalidError
from safecity.model.facts.vehicle_calls import EraseFence, WriteFence
from safecity.protocols.jt808 import fences
from safecity.protocols.jt808.fences import Point, Setting
from safecity.protocols.jt808.messages import AnyBody

EVERY_DAY: Final = "000000"
"""In place of a date: the time counts each day."""
_TURN_SOUTH, _TURN_WEST = 1 << 2, 1 << 3
_WIDEST_TURN: Final = 255


def written(order: WriteFence) -> AnyBody:
    """The message. InvalidError `fence_not_for_terminals` where it lies on two hemispheres or is too wide for one."""
    properties, times, limit = _properties(order), _times(order), _limit(order)
    points = [Point(latitude_micro=_micro(y), longitude_micro=_micro(x)) for x, y in order.points]
    name = order.name[:50]
    match order.kind:
        case "circle":
            circle = fences.Circle(
                id=order.number, properties=properties, latitude_micro=points[0].latitude_micro,
                longitude_micro=points[0].longitude_micro, radius_metres=round(order.metres), name=name, **times,
                **limit,
            )  # fmt: skip
            return fences.SetCircles(setting=Setting.ADD, circles=(circle,))
        case "rectangle":
            longitudes, latitudes = [x for x, _ in order.points], [y for _, y in order.points]
            upper_left = Point(latitude_micro=_micro(max(latitudes)), longitude_micro=_micro(min(longitudes)))
            lower_right = Point(latitude_micro=_micro(min(latitudes)), longitude_micro=_micro(max(longitudes)))
            rectangle = fences.Rectangle(
                id=order.number, properties=properties, upper_left=upper_left, lower_right=lower_right, name=name,
                **times, **limit,
            )  # fmt: skip
            return fences.SetRectangles(setting=Setting.ADD, rectangles=(rectangle,))
        case "polygon":
            return fences.SetPolygon(
                id=order.number, properties=properties, points=tuple(points), name=name, **times, **limit
            )  # fmt: skip
        case _:
            return _route(order, points, properties, times, limit, name)


def _route(
    order: WriteFence, points: list[Point], properties: int, times: dict[str, Any], limit: dict[str, Any], name: str
) -> AnyBody:  # fmt: skip
    if order.metres > _WIDEST_TURN:
        raise InvalidError("too wide", code="fence_not_for_terminals", params={"name": order.name})
    flags = fences.LIMITED if limit else 0
    flags |= (_TURN_SOUTH if properties & fences.SOUTH else 0) | (_TURN_WEST if properties & fences.WEST else 0)
    turns = tuple(
        fences.Turn(
            id=number, section=number, point=point, width_metres=round(order.metres), properties=flags, **limit,
        )
        for number, point in enumerate(points, 1)
    )  # fmt: skip
    known = fences.TIMED | fences.TELL_ENTER | fences.TELL_LEAVE
    return fences.SetRoute(id=order.number, properties=properties & known, turns=turns, name=name, **times)


def erasing(order: EraseFence) -> AnyBody:
    """The message."""
    kinds: dict[str, type[fences.DeleteCircles | fences.DeleteRectangles | fences.DeletePolygons]] = {
        "circle": fences.DeleteCircles,
        "rectangle": fences.DeleteRectangles,
        "polygon": fences.DeletePolygons,
    }
    delete = kinds.get(order.kind)
    return fences.DeleteRoutes(ids=(order.number,)) if delete is None else delete(ids=(order.number,))


def _properties(order: WriteFence) -> int:
    south = {y < 0 for _, y in order.points}
    west = {x < 0 for x, _ in order.points}
    if len(south) > 1 or len(west) > 1:
        raise InvalidError("two hemispheres", code="fence_not_for_terminals", params={"name": order.name})
    wanted = (
        (fences.TIMED, bool(order.begins)), (fences.LIMITED, order.speed_kmh > 0), (fences.TELL_ENTER, order.on_enter),
        (fences.TELL_LEAVE, order.on_leave), (fences.SOUTH, True in south), (fences.WEST, True in west),
    )  # fmt: skip
    return sum(bit for bit, on in wanted if on)


def _times(order: WriteFence) -> dict[str, Any]:
    return {"begins": EVERY_DAY + order.begins, "ends": EVERY_DAY + order.ends} if order.begins else {}


def _limit(order: WriteFence) -> dict[str, Any]:
    if not order.speed_kmh:
        return {}
    speed = order.speed_kmh
    return {"speed_limit": speed, "limit_seconds": min(255, order.speed_seconds), "night_limit": speed}


def _micro(degrees: float) -> int:
    return round(abs(degrees) * 1e6)
