"""Channels: what people see, grant and record."""

from safecity.core.ground.channels.board import Board
from safecity.core.ground.channels.decide import (
    Channel,
    ChannelState,
    Standing,
    apply_catalogue,
    apply_notice,
    check_tags,
    lost_of,
    place,
)
from safecity.core.ground.channels.offers import offered, possible
from safecity.core.ground.channels.service import Channels, find_channel, thing_of
from safecity.core.ground.channels.store import (
    add,
    any_of,
    any_under,
    everything,
    find,
    find_by_code,
    find_many,
    has_any,
    load,
    of_device,
    page,
    placements,
    remove_of_device,
    save,
)

__all__ = [
    "Board",
    "Channel",
    "ChannelState",
    "Channels",
    "Standing",
    "add",
    "any_of",
    "any_under",
    "apply_catalogue",
    "apply_notice",
    "check_tags",
    "everything",
    "find",
    "find_by_code",
    "find_channel",
    "find_many",
    "has_any",
    "load",
    "lost_of",
    "of_device",
    "offered",
    "page",
    "place",
    "placements",
    "possible",
    "remove_of_device",
    "save",
    "thing_of",
]
