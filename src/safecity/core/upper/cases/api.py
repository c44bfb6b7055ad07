"""Cases: investigations that gather searches, footage, alarms and notes, and keep what they refer to."""

from safecity.core.upper.cases.adding import Adding, Looked
from safecity.core.upper.cases.decide import (
    Case,
    CasePicture,
    CaseSettings,
    CaseState,
    Entry,
    EntryKind,
    EntrySeen,
    Loss,
    Result,
    ResultKind,
)
from safecity.core.upper.cases.findings import Company, Findings
from safecity.core.upper.cases.keeping import Keeping
from safecity.core.upper.cases.lists import AlarmsAsked, ListSearches
from safecity.core.upper.cases.reading import CaseReading
from safecity.core.upper.cases.service import Cases
from safecity.core.upper.cases.store import any_of, any_under

__all__ = [
    "Adding",
    "AlarmsAsked",
    "Case",
    "CasePicture",
    "CaseReading",
    "CaseSettings",
    "CaseState",
    "Cases",
    "Company",
    "Entry",
    "EntryKind",
    "EntrySeen",
    "Findings",
    "Keeping",
    "ListSearches",
    "Looked",
    "Loss",
    "Result",
    "ResultKind",
    "any_of",
    "any_under",
]
