"""The view library (GA/T 1400): what capture devices and other libraries send, and what they are told."""

from safecity.core.ground.images import answering
from safecity.core.ground.images.addresses import Address, read_address, refused_ip
from safecity.core.ground.images.answering import Answering
from safecity.core.ground.images.calling import Reply, proof
from safecity.core.ground.images.decide import is_library
from safecity.core.ground.images.delivery import pause
from safecity.core.ground.images.notifier import Met, Notifier, Post
from safecity.core.ground.images.recalling import Delete
from safecity.core.ground.images.service import Images
from safecity.core.ground.images.store import Kept
from safecity.core.ground.images.store import known as known_objects
from safecity.core.ground.images.store import of_kind as objects_of_kind
from safecity.core.ground.images.subscribers import Subscribed, SubscriptionState
from safecity.core.ground.images.taking import Outcome, origin_of
from safecity.core.ground.images.uplink import AskUpper, UplinkFigure, Uplinks

__all__ = [
    "Address",
    "Answering",
    "AskUpper",
    "Delete",
    "Images",
    "Kept",
    "Met",
    "Notifier",
    "Outcome",
    "Post",
    "Reply",
    "Subscribed",
    "SubscriptionState",
    "UplinkFigure",
    "Uplinks",
    "answering",
    "is_library",
    "known_objects",
    "objects_of_kind",
    "origin_of",
    "pause",
    "proof",
    "read_address",
    "refused_ip",
]
