"""What each camera may cost: tasks fitted to the processors at hand. Pure.

The recorder's share is never touched: the budget is what the node leaves to analysis, and where it is not enough the
less important tasks look less often. What key frames cost where nothing is left is not counted; priorities of processes
keep that from the recorder, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_FPS = 0.5
"""Below this a vehicle passes between two looks: such a task gets key frames alone, and that is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One task. `decode` is the share of a core that decoding its stream takes whatever is looked at (0.06: 60 ms of
    each second), `look` the seconds of a core for one picture looked at, `fps` what is wanted, `priority` 1 first."""

    name: str
    priority: int
    fps: float
    decode: float
    look: float


def grants(needs: Sequence[Need], cores: float) -> dict[str, float]:
    """Pictures a second for each task, 0 where key frames must do; the others together cost at most
    `cores`.

    Within a priority all get the same part of what they want. Higher priorities are served before lower ones.
    """
    granted = {need.name: 0.0 for need in needs}
    left = max(cores, 0.0)
    for priority in sorted({need.priority for need in needs}):
        wishes = [need for need in needs if need.priority == priority and need.fps > 0]
        level = sorted(wishes, key=lambda need: need.name)
        while level:
            fixed = sum(need.decode for need in level)
            moving = sum(need.fps * need.look for need in level)
            part = 1.0 if fixed + moving <= left else (left - fixed) / moving if moving > 0 else -1.0
            slow = [need for need in level if need.fps * part < min(LEAST_FPS, need.fps)]
            if not slow:
                for need in level:
                    granted[need.name] = need.fps * part
                left -= fixed + moving * part
                break
            # All of them too slow helps nobody: the dearest of them goes, and the rest share what it leaves.
            level.remove(max(slow, key=lambda need: (need.decode + need.fps * need.look, need.name)))
    return granted
