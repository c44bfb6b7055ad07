"""What a library wishes to be told, whether it subscribed or asked for a watch, and what is for it at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.core.ground.devices.api import Device
from safecity.core.ground.images.store import Kept
from safecity.core.ground.images.subscribers import Subscribed
from safecity.protocols.gat1400.dispositions import read_disposition
from safecity.protocols.gat1400.objects import read_object
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.subscriptions import read_subscription


@dataclass(frozen=True, slots=True)
class Wish:
    """`id` is the library's own name for it, `images` the kinds of pictures it wants; None: all. `end`: microseconds
    UTC, after which nothing is told."""

    id: str
    title: str
    receive_addr: str
    images: frozenset[str] | None
    end: int


def read_wish(of: Subscribed) -> Wish:
    """InvalidError `viid_object` for what was never taken as one."""
    if of.watch is None:
        asked = read_subscription(read_object(BY_NAME["Subscribe"], of.body))
    else:
        asked = read_disposition(read_object(BY_NAME["Disposition"], of.body))
    return Wish(asked.id, asked.title, asked.receive_addr, asked.images, asked.end)


def still_within(library: Device, one: Subscribed) -> bool:
    """Whether what was accepted lies where the library still belongs."""
    return one.area_path.startswith(library.area_path) and one.organisation_path.startswith(library.organisation_path)


def within(one: Subscribed, kept: Kept) -> bool:
    """What lies in the library's areas and is kept for a purpose that is not ours alone."""
    return (
        bool(kept.purposes)
        and kept.area_path.startswith(one.area_path)
        and kept.organisation_path.startswith(one.organisation_path)
    )
