"""What follows from another message: the ACK of a refusal, a CANCEL, the Via with the true source."""

from __future__ import annotations

import re

from safecity.protocols.sip.fields import split_list
from safecity.protocols.sip.message import Request, Response

_ODD = re.compile(r"[,\"]|received")


def ack_of_refusal(invite: Request, response: Response) -> Request:
    """The ACK to a refusal, in the INVITE's own transaction (RFC 3261, 17.1.1.3)."""
    fields = [("Via", str(invite.via))]
    fields += [(name, value) for name, value in invite.fields if name in ("From", "Call-ID", "Route")]
    fields += [("To", response.raw("To") or ""), ("CSeq", f"{invite.cseq.number} ACK"), ("Max-Forwards", "70")]
    return Request("ACK", invite.uri, fields)


def cancel_of(invite: Request) -> Request:
    """The CANCEL of an INVITE (RFC 3261, 9.1)."""
    fields = [("Via", str(invite.via))]
    fields += [(name, value) for name, value in invite.fields if name in ("From", "To", "Call-ID", "Route")]
    fields += [("CSeq", f"{invite.cseq.number} CANCEL"), ("Max-Forwards", "70")]
    return Request("CANCEL", invite.uri, fields)


def stamp_source(request: Request, host: str, port: int) -> None:
    """Write into the top Via where the request really came from (RFC 3261, 18.2.1; RFC 3581): answers copy it."""
    via = request.via
    params = via.params
    if "rport" in params:
        params["rport"] = str(port)
    elif via.host == host:
        return
    params["received"] = host
    fields = request.fields
    for index, (name, value) in enumerate(fields):
        if name == "Via":
            at = value.find(";rport")
            if at > 0 and value[at + 6 : at + 7] in ("", ";") and value.isascii() and not _ODD.search(value):
                # The common form is mended as text; anything else is written anew.
                fields[index] = (name, f"{value[: at + 6]}={port}{value[at + 6 :]};received={host}")
                return
            others = split_list(value)[1:] if "," in value else []
            fields[index] = (name, ", ".join([str(via), *others]))
            return
