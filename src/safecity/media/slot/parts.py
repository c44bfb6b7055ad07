"""Assignments that come in several messages: collected until all of one revision are there. Pure."""

from __future__ import annotations

from safecity.kit.errors import InvalidError
from safecity.model.facts.media_calls import ApplyAssignments

MAX_PARTS = 1_000


class Parts:
    """The parts of one revision; those of another one begin anew."""

    def __init__(self) -> None:
        self._found: dict[int, ApplyAssignments] = {}

    def add(self, part: ApplyAssignments) -> ApplyAssignments | None:
        """The whole once its last part came; None before. InvalidError for a part out of range."""
        if not 0 <= part.part < part.parts <= MAX_PARTS:
            raise InvalidError("part out of range", code="invalid")
        if any((one.revision, one.parts) != (part.revision, part.parts) for one in self._found.values()):
            self._found.clear()
        self._found[part.part] = part
        if len(self._found) < part.parts:
            return None
        found = [self._found[number] for number in range(part.parts)]
        self._found = {}
        return ApplyAssignments(
            part.revision,
            tuple(one for each in found for one in each.assignments),
            holds=tuple(one for each in found for one in each.holds),
            released=tuple(one for each in found for one in each.released),
        )
