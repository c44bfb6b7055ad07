"""What the door of a running city can do: faults, reboots, alarms, and a look at what the cameras do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from safecity.sim.control import Operation
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.state import Channel

_FAULTS = {field.name: field for field in msgspec.structs.fields(Faults)}


class CityOperations:
    """Operations over the devices of this process. `device` in a request is a code or `*`.

    list                                     devices, whether registered, sessions
    fault {device, <fault>: value, ...}      see `Faults`; {"device": "*", "reset": true} mends all
    impair {device?, delay_ms, jitter_ms, loss}   a long and lossy wire
    reboot {device, dark_seconds}            power cut; without a BYE
    alarm {channel, method, kind, description}
    channel {channel, on}                    a channel of a recorder comes or goes
    pose {channel}                           where the lens looks, and how many commands it got
    figures                                  packets and CPU seconds
    """

    def __init__(self, devices: Callable[[], Mapping[str, SimDevice]]) -> None:
        self._devices = devices

    def table(self) -> dict[str, Operation]:
        """By name."""
        return {
            "list": self.list_devices,
            "fault": self.fault,
            "impair": self.impair,
            "reboot": self.reboot,
            "alarm": self.alarm,
            "channel": self.switch,
            "pose": self.pose,
            "figures": self.figures,
        }

    def _named(self, request: dict[str, Any]) -> list[SimDevice]:
        code = str(request.pop("device", "*"))
        devices = self._devices()
        if code == "*":
            return list(devices.values())
        if code not in devices:
            raise KeyError(f"no device {code}")
        return [devices[code]]

    def _channel(self, code: str) -> tuple[SimDevice, Channel]:
        for device in self._devices().values():
            found = device.state.channels.get(code)
            if found is not None:
                return device, found
        raise KeyError(f"no channel {code}")

    async def list_devices(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "devices": [
                {
                    "code": device.spec.code,
                    "name": device.spec.name,
                    "registered": device.state.registered,
                    "reboots": device.state.reboots,
                    "sessions": len(device.sessions.running),
                    "channels": list(device.state.channels),
                }
                for device in self._devices().values()
            ]
        }

    async def fault(self, request: dict[str, Any]) -> dict[str, Any]:
        devices = self._named(request)
        if request.pop("reset", False):
            request = {**msgspec.to_builtins(Faults()), **request}
        checked = msgspec.convert(request, Faults)  # the whole, so that a wrong type changes nothing
        unknown = set(request) - set(_FAULTS)
        if unknown:
            raise ValueError(f"no fault {sorted(unknown)[0]}")
        for device in devices:
            for name in request:
                setattr(device.faults, name, getattr(checked, name))
            for channel in device.state.channels.values():
                channel.camera.shown_offset_us = device.state.error_us
        return {"devices": len(devices)}

    async def impair(self, request: dict[str, Any]) -> dict[str, Any]:
        wire = {name: float(request.get(name, 0)) for name in ("delay_ms", "jitter_ms", "loss")}
        return await self.fault({"device": request.get("device", "*"), **wire})

    async def reboot(self, request: dict[str, Any]) -> dict[str, Any]:
        dark = float(request.pop("dark_seconds", 1.0))
        for device in self._named(request):
            await device.reboot(dark_seconds=dark)
        return {}

    async def alarm(self, request: dict[str, Any]) -> dict[str, Any]:
        device, channel = self._channel(str(request["channel"]))
        await device.subscriptions.alarm(
            channel.code, method=int(request.get("method", 5)), kind=int(request.get("kind", 2)),
            priority=int(request.get("priority", 3)), description=str(request.get("description", "")),
        )  # fmt: skip
        return {}

    async def switch(self, request: dict[str, Any]) -> dict[str, Any]:
        device, channel = self._channel(str(request["channel"]))
        await device.switch(channel.code, bool(request["on"]))
        return {}

    async def pose(self, request: dict[str, Any]) -> dict[str, Any]:
        lens = self._channel(str(request["channel"]))[1].camera.lens
        return {"pan": lens.pose.pan, "tilt": lens.pose.tilt, "zoom": lens.pose.zoom, "commands": lens.commands}

    async def figures(self, _: dict[str, Any]) -> dict[str, Any]:
        sessions = [each for device in self._devices().values() for each in device.sessions.running.values()]
        return {
            "sessions": len(sessions),
            "packets": sum(each.sender.packets for each in sessions),
            "bytes": sum(each.sender.bytes for each in sessions),
            "cpu_seconds": time.process_time(),
        }
