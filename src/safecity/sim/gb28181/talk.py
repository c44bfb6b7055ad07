"""The device's loudspeaker (GB/T 28181, 9.12): after a Broadcast it asks the platform for sound and counts it."""

from __future__ import annotations

import asyncio
import contextlib

from safecity.kit.errors import InvalidError, SafecityError
from safecity.links.sip import Flow, Incoming, SipEndpoint
from safecity.links.sip_client import new_request
from safecity.protocols.gb28181.session import CONTENT_TYPE, GbSession, Purpose, read_session, write_session
from safecity.protocols.rtp.packets import parse
from safecity.protocols.sip.dialog import Dialog
from safecity.sim.gb28181.state import DeviceState


class Talk(asyncio.DatagramProtocol):
    """One loudspeaker. `packets` and `bytes` count what was heard."""

    def __init__(self, state: DeviceState, endpoint: SipEndpoint) -> None:
        self._state = state
        self._endpoint = endpoint
        self._transport: asyncio.DatagramTransport | None = None
        self._dialog: Dialog | None = None
        self._flow: Flow | None = None
        self.packets = 0
        self.bytes = 0
        self.payload_types: set[int] = set()

    async def begin(self, target: str, source: str, flow: Flow) -> None:
        """INVITE the platform for the sound of `source`. Gives up quietly when it refuses."""
        spec = self._state.spec
        await self.close()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(spec.local_host, 0))
        port = int(self._transport.get_extra_info("sockname")[1])
        host = spec.profile.private_host or self._endpoint.local_address(flow)[0]
        offer = GbSession(
            owner=target, purpose=Purpose.PLAY, host=host, port=port, media="audio", direction="recvonly",
            payloads=((8, "PCMA/8000"),), ssrc=int(f"0{spec.domain[3:8] or spec.platform_code[3:8]}9999"),
        )  # fmt: skip
        domain = spec.domain or spec.platform_code[:10]
        request = new_request(
            "INVITE", f"sip:{source or spec.platform_code}@{domain}", local=f"sip:{target}@{domain}",
            remote=f"sip:{source or spec.platform_code}@{domain}", cseq=20,
            contact=self._endpoint.contact(spec.code, flow),
            fields=[("Subject", f"{source or spec.platform_code}:0,{target}:0"), ("Content-Type", CONTENT_TYPE)],
            body=write_session(offer),
        )  # fmt: skip
        try:
            call = await self._endpoint.invite(request, flow, timeout=10.0)
            if call.dialog is None:
                await self.close()
                return
            read_session(call.response.body)
        except (SafecityError, InvalidError):
            await self.close()
            return
        call.acknowledge()
        self._dialog, self._flow = call.dialog, flow

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = parse(data)
        if packet is not None:
            self.packets += 1
            self.bytes += len(packet.payload)
            self.payload_types.add(packet.payload_type)

    def said_bye(self, incoming: Incoming) -> bool:
        """Whether this BYE was for us."""
        if self._dialog is None or self._dialog.id.call_id != incoming.request.call_id:
            return False
        incoming.respond(200)
        self._drop()
        return True

    async def close(self) -> None:
        """Hang up."""
        if self._dialog is not None and self._flow is not None:
            with contextlib.suppress(SafecityError, RuntimeError):
                self._endpoint.send_blind(self._dialog.request("BYE"), self._flow)
        self._drop()

    def _drop(self) -> None:
        self._dialog = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None
