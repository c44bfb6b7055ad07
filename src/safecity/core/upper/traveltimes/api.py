"""Travel times between checkpoints."""

from safecity.core.upper.traveltimes.decide import BUCKET_US, TravelSection
from safecity.core.upper.traveltimes.filtering import Times
from safecity.core.upper.traveltimes.following import TravelFollower
from safecity.core.upper.traveltimes.keys import Keys
from safecity.core.upper.traveltimes.service import Shown, TravelTimes
from safecity.core.upper.traveltimes.tables import Bucket, any_of, any_under

__all__ = [
    "BUCKET_US",
    "Bucket",
    "Keys",
    "Shown",
    "Times",
    "TravelFollower",
    "TravelSection",
    "TravelTimes",
    "any_of",
    "any_under",
]
