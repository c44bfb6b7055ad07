"""Devices: what registers here, or is pulled by us."""

from safecity.core.ground.devices.decide import Device, DeviceKind, DeviceState, check_code, split_url
from safecity.core.ground.devices.service import Devices, NewDevice, find_device
from safecity.core.ground.devices.store import any_under, count, everything, find, find_by_code, in_area, save

__all__ = [
    "Device",
    "DeviceKind",
    "DeviceState",
    "Devices",
    "NewDevice",
    "any_under",
    "check_code",
    "count",
    "everything",
    "find",
    "find_by_code",
    "find_device",
    "in_area",
    "save",
    "split_url",
]
