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
from safecity.core.upper.cases.reading import CaseReading
from safecity.core.upper.cases.service import Cases
from safecity.core.upper.cases.store import any_of, any_under

__all__ = [
    "Adding",
    "Case",
    "CasePicture",
    "CaseReading",
    "CaseSettings",
    "CaseState",
    "Cases",
    "Entry",
    "EntryKind",
    "EntrySeen",
    "Looked",
    "Loss",
    "Result",
    "ResultKind",
    "any_of",
    "any_under",
]
