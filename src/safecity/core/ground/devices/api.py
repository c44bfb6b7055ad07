"""Devices: what registers here, or is pulled by us."""

from safecity.core.ground.devices.decide import Device, DeviceKind, DeviceState, check_code, split_url
from safecity.core.ground.devices.positions import Position, of_devices
from safecity.core.ground.devices.positions import put as put_positions
from safecity.core.ground.devices.service import Devices, NewDevice, find_device, thing_of
from safecity.core.ground.devices.store import (
    add,
    any_of,
    any_under,
    codes_of,
    count,
    everything,
    find,
    find_by_code,
    find_many,
    find_with_secret,
    in_area,
    of_account,
    save,
)

__all__ = [
    "Device",
    "DeviceKind",
    "DeviceState",
    "Devices",
    "NewDevice",
    "Position",
    "add",
    "any_of",
    "any_under",
    "check_code",
    "codes_of",
    "count",
    "everything",
    "find",
    "find_by_code",
    "find_device",
    "find_many",
    "find_with_secret",
    "in_area",
    "of_account",
    "of_devices",
    "put_positions",
    "save",
    "split_url",
    "thing_of",
]
