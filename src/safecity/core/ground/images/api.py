"""The view library (GA/T 1400): what capture devices and other libraries send, and what they are told."""

from safecity.core.ground.images.addresses import Address, read_address, refused_ip
from safecity.core.ground.images.decide import is_library
from safecity.core.ground.images.notifier import Notifier, Post
from safecity.core.ground.images.service import Images
from safecity.core.ground.images.store import Subscribed, SubscriptionState
from safecity.core.ground.images.taking import Outcome

__all__ = [
    "Address",
    "Images",
    "Notifier",
    "Outcome",
    "Post",
    "Subscribed",
    "SubscriptionState",
    "is_library",
    "read_address",
    "refused_ip",
]
