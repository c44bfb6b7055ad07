"""What a section usually takes at a time of the day, on such a day. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median
from types import MappingProxyType
from typing import Final

from safecity.core.upper.traveltimes.decide import BUCKET_US, bucket_of
from safecity.kit.clock import SECOND_US
from safecity.kit.daykinds import kind_of

DAYS: Final = 28
ENOUGH: Final = 3
"""Five minutes in which somebody arrived, before anything is called usual."""


def asked(now: int, zone: tzinfo, special: Mapping[str, str] = MappingProxyType({})) -> list[int]:
    """The quarter of an hour around now by the local clock, on days of the same kind (working day, Saturday, Sunday) of
    the last four weeks: where its five minutes begin. `special`: see `kit.daykinds`."""
    here = datetime.fromtimestamp(bucket_of(now) // SECOND_US, UTC).astimezone(zone)
    found: list[int] = []
    for back in range(1, DAYS + 1):
        then = here - timedelta(days=back)  # of the wall clock: half past seven stays half past seven in summer
        if kind_of(then.date(), special) == kind_of(here.date(), special):
            middle = bucket_of(round(then.timestamp()) * SECOND_US)
            found += [middle - BUCKET_US, middle, middle + BUCKET_US]
    return found


def usual(medians_us: Collection[int]) -> int | None:
    """The median of what these five minutes took; None where too few are known."""
    return round(median(medians_us)) if len(medians_us) >= ENOUGH else None
