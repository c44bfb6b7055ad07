"""How we speak SIP with a device: who we are, who it is, and the requests the standard has (no decisions here)."""

from __future__ import annotations

import secrets

from safecity.drivers.gb28181.directory import Device
from safecity.kit.errors import UnavailableError
from safecity.links.sip import Call, Flow, SipEndpoint, new_tag
from safecity.model.facts.signal_calls import PlatformIdentity
from safecity.protocols.gb28181 import mansrtsp, session
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.manscdp import CONTENT_TYPE, write_body
from safecity.protocols.sip.dialog import Dialog
from safecity.protocols.sip.message import Request, Response

USER_AGENT = "Safecity"
REQUEST_SECONDS = 8.0
"""How long a device may take to acknowledge a MESSAGE, INFO, BYE or SUBSCRIBE."""


class Link:
    """Requests to devices. UnavailableError where there is no way to the device or no answer."""

    def __init__(self, endpoint: SipEndpoint, identity: PlatformIdentity) -> None:
        self.endpoint = endpoint
        self.identity = identity

    def way_to(self, device: Device) -> Flow:
        """The flow requests to it go out on; UnavailableError (`gb_device_offline`)."""
        flow = device.flow
        if flow is None or (flow.connection is not None and not flow.connection.is_open):
            raise UnavailableError(f"{device.code}: offline", code="gb_device_offline", params={"code": device.code})
        return flow

    def local_host(self, device: Device) -> str:
        """The address of ours that goes into SDP."""
        return self.identity.public_host or self.endpoint.local_address(self.way_to(device))[0]

    async def message(self, device: Device, body: Body, *, timeout: float | None = None) -> Response:
        """MESSAGE with a body; the business answer comes as another MESSAGE."""
        flow = self.way_to(device)
        request = self._request("MESSAGE", device, device.code, flow)
        request.body = write_body(body, device.config.charset or "GB18030")
        request = request.with_fields([("Content-Type", CONTENT_TYPE)])
        return await self.endpoint.request(request, flow, timeout=timeout or REQUEST_SECONDS)

    async def subscribe(
        self, device: Device, dialog: Dialog | None, body: Body, event: str, expires: int
    ) -> tuple[Response, Dialog | None]:
        """SUBSCRIBE, within the dialog where there is one. The dialog it made or refreshed comes with the answer."""
        flow = self.way_to(device)
        fields = [("Event", event), ("Expires", str(expires)), ("Content-Type", CONTENT_TYPE)]
        content = write_body(body, device.config.charset or "GB18030")
        contact = self.endpoint.contact(self.identity.code, flow)
        if dialog is not None:
            request = dialog.request("SUBSCRIBE", fields=fields, body=content, contact=contact)
        else:
            request = self._request("SUBSCRIBE", device, device.code, flow)
            request = request.with_fields([("Contact", f"<{contact}>"), *fields])
            request.body = content
        response = await self.endpoint.request(request, flow, timeout=REQUEST_SECONDS)
        if not 200 <= response.status < 300:
            return response, dialog
        if dialog is not None:
            dialog.refreshed(response)
            return response, dialog
        return response, Dialog.by_client(request, response)

    async def invite(self, device: Device, code: str, sdp: bytes, subject: str, *, timeout: float) -> Call:
        """INVITE; a timeout has been cancelled when it is raised."""
        flow = self.way_to(device)
        contact = self.endpoint.contact(self.identity.code, flow)
        request = self._request("INVITE", device, code, flow).with_fields(
            [
                ("Contact", f"<{contact}>"),
                ("Subject", subject),
                ("Content-Type", session.CONTENT_TYPE),
            ]
        )
        request.body = sdp
        return await self.endpoint.invite(request, flow, timeout=timeout)

    async def within(
        self, device: Device, dialog: Dialog, method: str, body: bytes = b"", content_type: str = ""
    ) -> Response:
        """A request inside a dialog, to where the device is now."""
        flow = self.way_to(device)
        fields = [("Content-Type", content_type)] if body else []
        request = dialog.request(method, fields=[*fields, ("User-Agent", USER_AGENT)], body=body)
        return await self.endpoint.request(request, flow, timeout=REQUEST_SECONDS)

    async def info(self, device: Device, dialog: Dialog, act: mansrtsp.Act) -> Response:
        """INFO with MANSRTSP."""
        return await self.within(device, dialog, "INFO", mansrtsp.write_mansrtsp(act), mansrtsp.CONTENT_TYPE)

    def bye_blind(self, device: Device, dialog: Dialog) -> None:
        """BYE without waiting, while shutting down."""
        if device.flow is not None:
            self.endpoint.send_blind(dialog.request("BYE"), device.flow)

    def _request(self, method: str, device: Device, code: str, flow: Flow) -> Request:
        identity = self.identity
        host, port = flow.host, flow.port
        if ":" in host:
            host = f"[{host}]"
        domain = code[:10] if len(code) == 20 else identity.domain
        fields = [
            ("From", f"<sip:{identity.code}@{identity.domain}>;tag={new_tag()}"),
            ("To", f"<sip:{code}@{domain}>"),
            ("Call-ID", f"{secrets.token_hex(12)}@{identity.domain}"),
            ("CSeq", f"{secrets.randbelow(9_000) + 1} {method}"),
            ("Max-Forwards", "70"),
            ("User-Agent", USER_AGENT),
        ]
        return Request(method, f"sip:{code}@{host}:{port}", fields)
