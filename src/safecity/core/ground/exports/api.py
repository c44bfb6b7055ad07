"""Holds and exports of what was recorded."""

from safecity.core.ground.exports.holds import Holds, check_range, let_go
from safecity.core.ground.exports.runner import ExportRunner
from safecity.core.ground.exports.service import Exports
from safecity.core.ground.exports.store import Export, Hold, JobState, current_holds, holds_of_case

__all__ = [
    "Export",
    "ExportRunner",
    "Exports",
    "Hold",
    "Holds",
    "JobState",
    "check_range",
    "current_holds",
    "holds_of_case",
    "let_go",
]
