"""Messages of the standard that people may have a terminal hear as they stand there. Pure.

Not among them: what the session says by itself, what has a way of its own (texts, positions, doors, fences, heads:
their ways check more), what takes a terminal out of reach, and what lets somebody listen unseen. Who may have a picture
taken is looked at where people order it.
"""

from __future__ import annotations

from typing import Any, Final

from safecity.kit.errors import InvalidError, RefusedError
from safecity.model.facts.vehicle_calls import SayTerminal, TerminalSaid
from safecity.protocols.jt808 import active_safety, commands, positions, records, video
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.plain import body_from, plain

SAID: Final = frozenset(
    one.ID
    for one in (
        commands.SetParameters, commands.AskAllParameters, commands.AskParameters, commands.AskProperties,
        positions.ConfirmAlarm, records.AskDriver, records.TakePicture, records.TransparentDown,
        video.AskVideoProperties, video.LiveControl, video.LossReport, video.AskResources, video.UploadFile,
        video.UploadControl, active_safety.UploadAttachments,
    )
)  # fmt: skip
OUT_OF_REACH: Final = range(0x0010, 0x0027)
"""Parameters that say which servers it connects to, and over which network: a mistake there ends every other order."""
LISTENERS: Final = 0x0048
"""The parameter that says which telephone may listen in the vehicle: nobody would see or write down that it does."""


def said(wish: SayTerminal, version: Version) -> AnyBody:
    """The message. InvalidError as `body_from`, and for what does not fit its field; RefusedError `terminal_not_said`
    for one that is not said like this, `terminal_out_of_reach` for parameters that would cut it off,
    `terminal_listeners` for the one of who listens in the vehicle."""
    if wish.message not in SAID:
        raise RefusedError("not said like this", code="terminal_not_said", params={"message": f"{wish.message:04x}"})
    body = body_from(wish.message, wish.fields)
    if isinstance(body, commands.SetParameters):
        for one in body.parameters:
            params = {"parameter": f"{one.id:04x}"}
            if one.id in OUT_OF_REACH:
                raise RefusedError("it would be cut off", code="terminal_out_of_reach", params=params)
            if one.id == LISTENERS:
                raise RefusedError("somebody would listen unseen", code="terminal_listeners", params=params)
    try:
        body.write(version)
    except InvalidError as error:
        raise InvalidError(str(error), code="terminal_field", params={"field": f"{wish.message:04x}"}) from error
    return body


def answered(body: AnyBody | None) -> TerminalSaid:
    """What it answered; nothing but a yes where there is no body."""
    fields: dict[str, Any] = plain(body) if body is not None else {}
    return TerminalSaid(body.ID if body is not None else 0, fields)
