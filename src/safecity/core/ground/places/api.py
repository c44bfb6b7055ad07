"""Areas (government) and organisations (line of command): two trees."""

from safecity.core.ground.places.borders import Drawing, area_at, borders, claimed_by
from safecity.core.ground.places.decide import Area, Level, Organisation, check_name, check_zone, significant
from safecity.core.ground.places.outline import Borders, Outline
from safecity.core.ground.places.service import Places, create_area, find_area, find_organisation
from safecity.core.ground.places.store import area_by_code, areas_by_path, children_of, organisations_by_path, tops_of

__all__ = [
    "Area",
    "Borders",
    "Drawing",
    "Level",
    "Organisation",
    "Outline",
    "Places",
    "area_at",
    "area_by_code",
    "areas_by_path",
    "borders",
    "check_name",
    "check_zone",
    "children_of",
    "claimed_by",
    "create_area",
    "find_area",
    "find_organisation",
    "organisations_by_path",
    "significant",
    "tops_of",
]
