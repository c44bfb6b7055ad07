"""What the core learns from the other duties' events."""

from safecity.core.ground.intake.apply import KINDS, Effects, Intake
from safecity.core.ground.intake.born import placed
from safecity.core.ground.intake.faults import PLATFORM
from safecity.core.ground.intake.loop import IntakeLoop

__all__ = ["KINDS", "PLATFORM", "Effects", "Intake", "IntakeLoop", "placed"]
