"""All tables of the core, gathered: importing a store puts its tables into the metadata."""

from __future__ import annotations

from safecity.core.ground.access import store as _access
from safecity.core.ground.alarms import store as _alarms
from safecity.core.ground.audit import store as _audit
from safecity.core.ground.channels import store as _channels
from safecity.core.ground.desk import store as _desk
from safecity.core.ground.devices import store as _devices
from safecity.core.ground.exports import store as _exports
from safecity.core.ground.places import store as _places
from safecity.core.ground.settings import once as _once
from safecity.core.ground.settings import store as _settings
from safecity.core.ground.sql import metadata

PARTS = (_access, _alarms, _audit, _channels, _desk, _devices, _exports, _places, _once, _settings)
__all__ = ["PARTS", "metadata"]
