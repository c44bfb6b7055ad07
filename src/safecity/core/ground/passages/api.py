"""Passages: one vehicle at one tollgate, fused from everything that saw it there."""

from safecity.core.ground.passages import seeking
from safecity.core.ground.passages.confusion import NEAR, NEVER, UNREAD, confusable, cost, distance, near_misses
from safecity.core.ground.passages.decide import PAST_US, KeptPicture, Sighting, Source, dated
from safecity.core.ground.passages.filing import (
    UNPLACED_DAYS,
    Filed,
    Place,
    changed,
    file,
    forget,
    place_of,
    show,
    shown,
)
from safecity.core.ground.passages.readings import Readings
from safecity.core.ground.passages.service import (
    Passages,
    Report,
    check_purpose,
    may_see_restricted,
    picture_key,
    readable,
    thing_of,
)
from safecity.core.ground.passages.store import Passage, near, passages_of, sightings_of
from safecity.core.ground.passages.telling import RECORDED, WITHDRAWN, read

__all__ = [
    "NEAR",
    "NEVER",
    "PAST_US",
    "RECORDED",
    "UNPLACED_DAYS",
    "UNREAD",
    "WITHDRAWN",
    "Filed",
    "KeptPicture",
    "Passage",
    "Passages",
    "Place",
    "Readings",
    "Report",
    "Sighting",
    "Source",
    "changed",
    "check_purpose",
    "confusable",
    "cost",
    "dated",
    "distance",
    "file",
    "forget",
    "may_see_restricted",
    "near",
    "near_misses",
    "passages_of",
    "picture_key",
    "place_of",
    "read",
    "readable",
    "seeking",
    "show",
    "shown",
    "sightings_of",
    "thing_of",
]
