"""All tables of the core, gathered: importing a store puts its tables into the metadata."""

from __future__ import annotations

from safecity.backends import leases as _leases
from safecity.core.ground.access import store as _access
from safecity.core.ground.alarms import store as _alarms
from safecity.core.ground.audit import store as _audit
from safecity.core.ground.channels import store as _channels
from safecity.core.ground.closures import store as _closures
from safecity.core.ground.desk import store as _desk
from safecity.core.ground.devices import positions as _positions
from safecity.core.ground.devices import store as _devices
from safecity.core.ground.exports import store as _exports
from safecity.core.ground.images import store as _images
from safecity.core.ground.loose import store as _loose
from safecity.core.ground.lowers import store as _lowers
from safecity.core.ground.outbox import store as _outbox
from safecity.core.ground.passages import store as _passages
from safecity.core.ground.places import store as _places
from safecity.core.ground.scenes import store as _scenes
from safecity.core.ground.settings import once as _once
from safecity.core.ground.settings import store as _settings
from safecity.core.ground.signs import store as _signs
from safecity.core.ground.sql import metadata
from safecity.core.ground.tollgates import store as _tollgates
from safecity.core.ground.tolls import store as _tolls
from safecity.core.ground.tows import store as _tows
from safecity.core.upper.cases import store as _cases
from safecity.core.upper.counts import tables as _counts
from safecity.core.upper.fleet import mediatable as _vehicle_media
from safecity.core.upper.fleet import phones as _phones
from safecity.core.upper.fleet import store as _fleet
from safecity.core.upper.flows import store as _flows
from safecity.core.upper.traveltimes import marks as _travel_marks
from safecity.core.upper.traveltimes import tables as _travel
from safecity.core.upper.violations import store as _violations
from safecity.core.upper.violations import tables as _violation_rules
from safecity.core.upper.watches import store as _watches

PARTS = (
    _access, _alarms, _audit, _cases, _channels, _closures, _counts, _desk, _devices, _exports, _fleet, _flows,
    _images, _leases, _loose, _lowers, _outbox, _passages, _phones, _places, _positions, _once, _scenes, _settings,
    _signs, _tollgates, _tolls, _tows, _travel, _travel_marks, _vehicle_media, _violations, _violation_rules,
    _watches,
)  # fmt: skip
__all__ = ["PARTS", "metadata"]
