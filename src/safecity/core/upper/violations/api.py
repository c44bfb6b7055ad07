"""Violations: candidates with their evidence, reviewed by two people; sections, exempt vehicles, packages."""

from safecity.core.upper.violations.decide import (
    Evidence,
    Kind,
    Light,
    State,
    Violation,
    ViolationSettings,
    Void,
    lacking,
)
from safecity.core.upper.violations.exporting import Exporting
from safecity.core.upper.violations.following import SectionFollower
from safecity.core.upper.violations.proposing import Proposing, Shown
from safecity.core.upper.violations.rules import Rules
from safecity.core.upper.violations.sections import Section, Speed, speed, too_fast
from safecity.core.upper.violations.seen import Caught
from safecity.core.upper.violations.service import Violations
from safecity.core.upper.violations.service import find as find_violation
from safecity.core.upper.violations.service import thing_of as thing_of_violation
from safecity.core.upper.violations.signals import SignalNow, Signals
from safecity.core.upper.violations.store import Wanted, any_of, any_under
from safecity.core.upper.violations.store import kept as kept_violations
from safecity.core.upper.violations.tables import Exemption

__all__ = [
    "Caught",
    "Evidence",
    "Exemption",
    "Exporting",
    "Kind",
    "Light",
    "Proposing",
    "Rules",
    "Section",
    "SectionFollower",
    "Shown",
    "SignalNow",
    "Signals",
    "Speed",
    "State",
    "Violation",
    "ViolationSettings",
    "Violations",
    "Void",
    "Wanted",
    "any_of",
    "any_under",
    "find_violation",
    "kept_violations",
    "lacking",
    "speed",
    "thing_of_violation",
    "too_fast",
]
