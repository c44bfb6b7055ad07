"""How every channel stands this second: streams as the slots tell, presence as signal tells. In memory only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from safecity.core.ground.channels.decide import Channel, Standing, standing
from safecity.core.ground.devices.decide import Device, DeviceKind, DeviceState
from safecity.model.facts.media_calls import StreamState

_RANK = ("running", "opening", "lost", "idle")


class Board:
    """Told by the watchers of the slots and by the consumers; asked by lists, the tree and pushes."""

    def __init__(self) -> None:
        self._streams: dict[str, dict[str, dict[str, StreamState]]] = {}
        """channel -> slot -> quality: a channel that moved may be told of by two slots for a while."""
        self._devices: dict[str, tuple[DeviceState, bool]] = {}
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, call: Callable[[str], None]) -> None:
        """`call(channel id)` whenever a stream of it changes."""
        self._listeners.append(call)

    def stream(self, slot: str, state: StreamState) -> None:
        """A slot tells of one stream."""
        self._streams.setdefault(state.channel, {}).setdefault(slot, {})[str(state.quality)] = state
        self._tell(state.channel)

    def slot_gone(self, slot: str) -> None:
        """A slot does not answer: nothing is known of its streams until it is back."""
        for channel in [name for name, slots in self._streams.items() if slot in slots]:
            del self._streams[channel][slot]
            if not self._streams[channel]:
                del self._streams[channel]
            self._tell(channel)

    def device(self, device: Device) -> None:
        """A device was read or changed."""
        self._devices[device.id] = (device.state, device.kind is DeviceKind.RTSP)

    def devices(self, devices: Iterable[Device]) -> None:
        for device in devices:
            self.device(device)

    def streams_of(self, channel: str) -> dict[str, StreamState]:
        """By quality; where two slots tell of one, what is seen counts more than what is not."""
        found: dict[str, StreamState] = {}
        for told in self._streams.get(channel, {}).values():
            for quality, state in told.items():
                other = found.get(quality)
                if other is None or _RANK.index(state.state) < _RANK.index(other.state):
                    found[quality] = state
        return found

    def standing(self, channel: Channel) -> Standing:
        """One word and why."""
        state, pulled = self._devices.get(channel.device, (DeviceState.NEVER, False))
        return standing(channel, state, self.streams_of(channel.id).values(), pulled=pulled)

    def _tell(self, channel: str) -> None:
        for call in self._listeners:
            call(channel)
