"""What is seen and what is done about it: analysis, watches, violations, cases, counts, roads."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import InvalidError
from safecity.server.sections.checks import one_of, within

_OFFENCE: Final = re.compile(r"[0-9A-Z]{0,10}")


@dataclass(frozen=True, kw_only=True, slots=True)
class VisionSettings:
    """[vision] Analysis of what cameras show (extra `safecity[vision]`).

    slots   processes that look at pictures; 0: none
    cores   of the processor that they may use together, children included; 0: half of them
    countries   whose plates are expected, of `cn`, `eu`, `us`, `br`, with commas between; fewer are read better
    detector    folder with a detector of one's own (`detector.onnx`, `detector.json`), for the kind of vehicles
    """

    slots: int = 1
    cores: float = 0.0
    countries: str = "cn"
    detector: str = ""

    def __post_init__(self) -> None:
        within("vision.slots", self.slots, 0, 16)
        within("vision.cores", self.cores, 0, 256)
        for country in self.country_set() or ("",):
            one_of("vision.countries", country, ("cn", "eu", "us", "br"))

    def country_set(self) -> frozenset[str]:
        """The countries one by one."""
        return frozenset(part.strip() for part in self.countries.split(",") if part.strip())

    def core_share(self) -> float:
        """Of one slot."""
        return (self.cores or (os.cpu_count() or 2) / 2) / max(self.slots, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchSettings:
    """[watches] Standing orders to alarm when a vehicle appears.

    sign_minutes   somebody has so long to sign for a hit before it goes on to others
    report_hours   and so long to report what came of it
    longest_days   a watch lasts no longer
    keep_days      an ended watch is kept with its hits for so long
    """

    sign_minutes: int = 5
    report_hours: int = 24
    longest_days: int = 180
    keep_days: int = 180

    def __post_init__(self) -> None:
        within("watches.sign_minutes", self.sign_minutes, 1, 24 * 60)
        within("watches.report_hours", self.report_hours, 1, 24 * 30)
        within("watches.longest_days", self.longest_days, 1, 3650)
        within("watches.keep_days", self.keep_days, 1, 3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViolationSettings:
    """[violations] Candidates of traffic offences, and how long they are kept with their pictures.

    open_days        what nobody decided on
    void_days        what was void
    confirmed_days   what two people confirmed
    hold_minutes     one who judges has a candidate to themselves for so long
    code_red_light, code_solid_line, code_wrong_way, code_illegal_stop, code_lane_disobeyed, code_section_speed,
    code_spot_speed  code of the offence (GA/T 16.31) of candidates of that kind that come without one; empty: the first
                     review enters it. The defaults are those in use; compare them with the list in force.
    """

    open_days: int = 90
    void_days: int = 30
    confirmed_days: int = 730
    hold_minutes: int = 10
    code_red_light: str = "1625"
    code_solid_line: str = "1345"
    code_wrong_way: str = "1301"
    code_illegal_stop: str = "1039"
    code_lane_disobeyed: str = "1208"
    code_section_speed: str = ""
    code_spot_speed: str = ""

    def __post_init__(self) -> None:
        within("violations.open_days", self.open_days, 1, 3650)
        within("violations.void_days", self.void_days, 1, 3650)
        within("violations.confirmed_days", self.confirmed_days, 1, 3650)
        within("violations.hold_minutes", self.hold_minutes, 1, 120)
        for name in (each for each in self.__dataclass_fields__ if each.startswith("code_")):
            code = getattr(self, name)
            if _OFFENCE.fullmatch(code) is None:
                where = f"violations.{name}"
                raise InvalidError(f"{where}: {code!r} is no code", code="setting_invalid", params={"setting": where})


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSettings:
    """[cases] Investigations. While one is open, what it refers to is kept whatever retention says.

    closed_days   a closed case is kept for so long, with the pictures it copied
    """

    closed_days: int = 730

    def __post_init__(self) -> None:
        within("cases.closed_days", self.closed_days, 1, 3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class CountSettings:
    """[counts] How long counts of vehicles are kept.

    minute_days  by the minute, or as their source told them; later than a day less than this nothing is taken
    days         by five minutes
    """

    minute_days: int = 7
    days: int = 400

    def __post_init__(self) -> None:
        within("counts.minute_days", self.minute_days, 2, 92)
        within("counts.days", self.days, 2, 3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoadsSettings:
    """[roads] The road network, and what is computed on it (extra `safecity[roads]`).

    enabled        a process of its own matches vehicles to roads and finds routes; without a network it only waits
    folder         networks by version, as `safecity roads import` writes them; relative to the data folder
    bucket_minutes how long the speeds of a road are summed before they stand by themselves
    """

    enabled: bool = True
    folder: str = "roads"
    bucket_minutes: int = 1

    def __post_init__(self) -> None:
        within("roads.bucket_minutes", self.bucket_minutes, 1, 5)
