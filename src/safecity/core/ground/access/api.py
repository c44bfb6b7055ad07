"""Who may do what: actions, roles, grants, the one decision, and the people."""

from safecity.core.ground.access.actions import REACHES, Action, Reach, Role
from safecity.core.ground.access.checking import Checking, network_of, refuse_for
from safecity.core.ground.access.decide import (
    PLATFORM,
    ROOT,
    Actor,
    Grant,
    OwnedBy,
    Predicate,
    Thing,
    Under,
    allowed,
    authorize,
    permissions,
    scope,
)
from safecity.core.ground.access.people import People, Wish
from safecity.core.ground.access.secrets import Passwords, Vault, key_file
from safecity.core.ground.access.service import Access, AccessSettings, SignedIn
from safecity.core.ground.access.store import Session, User, any_in_area, any_of, find_user
from safecity.core.ground.access.throttle import OF_NAME_THERE, OF_NETWORK, Buckets
from safecity.core.ground.access.where import under, where

__all__ = [
    "OF_NAME_THERE",
    "OF_NETWORK",
    "PLATFORM",
    "REACHES",
    "ROOT",
    "Access",
    "AccessSettings",
    "Action",
    "Actor",
    "Buckets",
    "Checking",
    "Grant",
    "OwnedBy",
    "Passwords",
    "People",
    "Predicate",
    "Reach",
    "Role",
    "Session",
    "SignedIn",
    "Thing",
    "Under",
    "User",
    "Vault",
    "Wish",
    "allowed",
    "any_in_area",
    "any_of",
    "authorize",
    "find_user",
    "key_file",
    "network_of",
    "permissions",
    "refuse_for",
    "scope",
    "under",
    "where",
]
