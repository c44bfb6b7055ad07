"""What one has the duty `signal` (address `signal`) say to a vehicle terminal. `device` is its id.

All are answered with TerminalDid once the terminal itself has answered, or with the error `device_offline`,
`device_silent`, `terminal_failed`, `terminal_misunderstood`, `terminal_unsupported`, `terminal_no_answer` or
`terminal_lost`.
"""

from __future__ import annotations

from safecity.model.facts.media_calls import Message


class TellDriver(Message, frozen=True):
    """Words for the driver (0x8300): on the display, spoken, on the advertisement screen; at least one of them."""

    device: str
    text: str
    urgent: bool = False
    display: bool = True
    spoken: bool = False
    screen: bool = False


class TrackVehicle(Message, frozen=True):
    """Report every `every_seconds` for `seconds`, then as usual again (0x8202); 0: stop that now."""

    device: str
    every_seconds: int
    seconds: int = 0


class LocateVehicle(Message, frozen=True):
    """Where is it now (0x8201)? The answer is a position like any other, too."""

    device: str


class RestartTerminal(Message, frozen=True):
    """Start the terminal anew (0x8105, command 4). It comes again by itself."""

    device: str


class LockVehicle(Message, frozen=True):
    """Lock or unlock the doors (0x8500)."""

    device: str
    locked: bool


class TerminalDid(Message, frozen=True):
    """The terminal did it. `locked`: what it says of its doors, `place`: where it says it is (longitude, latitude),
    where the answer tells them."""

    locked: bool | None = None
    place: tuple[float, float] | None = None


Order = TellDriver | TrackVehicle | LocateVehicle | RestartTerminal | LockVehicle
