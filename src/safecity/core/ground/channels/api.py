"""Channels: what people see, grant and record."""

from safecity.core.ground.channels.board import Board
from safecity.core.ground.channels.decide import Channel, Standing, apply_catalogue, apply_notice, check_tags, place
from safecity.core.ground.channels.service import Channels, find_channel, thing_of
from safecity.core.ground.channels.store import (
    add,
    any_under,
    everything,
    find,
    find_by_code,
    find_many,
    load,
    of_device,
    page,
    remove_of_device,
    save,
)

__all__ = [
    "Board",
    "Channel",
    "Channels",
    "Standing",
    "add",
    "any_under",
    "apply_catalogue",
    "apply_notice",
    "check_tags",
    "everything",
    "find",
    "find_by_code",
    "find_channel",
    "find_many",
    "load",
    "of_device",
    "page",
    "place",
    "remove_of_device",
    "save",
    "thing_of",
]
