"""Areas (government) and organisations (line of command): two trees."""

from safecity.core.ground.places.decide import Area, Level, Organisation, check_name, significant
from safecity.core.ground.places.service import Places, create_area, find_area
from safecity.core.ground.places.store import area_by_code, areas_by_path, children_of, tops_of

__all__ = [
    "Area",
    "Level",
    "Organisation",
    "Places",
    "area_by_code",
    "areas_by_path",
    "check_name",
    "children_of",
    "create_area",
    "find_area",
    "significant",
    "tops_of",
]
