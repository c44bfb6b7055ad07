"""Whether a device is there: registration, keepalives, expiry (GB/T 28181, 9.6). The caller owns clock and socket."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PresenceState(StrEnum):
    NEVER = "never"
    ONLINE = "online"
    OFFLINE = "offline"
    REFUSED = "refused"


ALLOWED = {
    PresenceState.NEVER: {PresenceState.ONLINE, PresenceState.REFUSED},
    PresenceState.ONLINE: {PresenceState.OFFLINE},
    PresenceState.OFFLINE: {PresenceState.ONLINE, PresenceState.REFUSED},
    PresenceState.REFUSED: {PresenceState.ONLINE, PresenceState.OFFLINE},
}


@dataclass(slots=True)
class Presence:
    """One device. Times in seconds of any clock that does not go back.

    A device is online while it is registered and its keepalives come; three of them missed (or the end of the
    registration) make it offline. Keepalives within a registration bring it back.
    """

    patience: float
    state: PresenceState = PresenceState.NEVER
    silent_at: float = 0.0
    expires_at: float = 0.0

    def registered(self, now: float, expires: float) -> bool:
        """A good REGISTER. True when the device came back by it."""
        self.expires_at = now + expires
        return self._alive(now)

    def heard(self, now: float) -> bool:
        """A keepalive or anything else of a registered device. True when it came back by it."""
        return self.is_registered(now) and self._alive(now)

    def refused(self) -> bool:
        """A REGISTER that was turned down. True when that is news."""
        if self.state not in (PresenceState.NEVER, PresenceState.OFFLINE):
            return False
        self.state = PresenceState.REFUSED
        return True

    def left(self) -> bool:
        """Unregistered, or its connection was lost. True when it was online."""
        self.expires_at = 0.0
        was_online = self.state is PresenceState.ONLINE
        if self.state is not PresenceState.NEVER:
            self.state = PresenceState.OFFLINE
        return was_online

    def expire(self, now: float) -> bool:
        """True when time has made it offline."""
        if self.state is not PresenceState.ONLINE or now < self.next_deadline():
            return False
        self.state = PresenceState.OFFLINE
        return True

    def next_deadline(self) -> float:
        """When `expire` is to be asked, if nothing comes before."""
        return min(self.silent_at, self.expires_at)

    def is_registered(self, now: float) -> bool:
        """Whether its registration still holds, keepalives or not."""
        return now < self.expires_at

    def _alive(self, now: float) -> bool:
        self.silent_at = now + self.patience
        if self.state is PresenceState.ONLINE:
            return False
        self.state = PresenceState.ONLINE
        return True
