"""Flows: what an operator is made of, the runner that hosts it here, and how it stands."""

from safecity.core.upper.flows.operators import Flow, Item, Late, Operator, Record, State
from safecity.core.upper.flows.service import FlowRunner, FlowStatus, letters, snapshot, status
from safecity.core.upper.flows.standing import STOPPED_AFTER, TOGETHER, reports_here
from safecity.core.upper.flows.state import KeyState, StateCodec
from safecity.core.upper.flows.store import TABLES as FLOW_TABLES
from safecity.core.upper.flows.store import KeptLetter

__all__ = [
    "FLOW_TABLES",
    "STOPPED_AFTER",
    "TOGETHER",
    "Flow",
    "FlowRunner",
    "FlowStatus",
    "Item",
    "KeptLetter",
    "KeyState",
    "Late",
    "Operator",
    "Record",
    "State",
    "StateCodec",
    "letters",
    "reports_here",
    "snapshot",
    "status",
]
