"""Media sessions of a device: INVITE, ACK, INFO, BYE, and what flows between them (GB/T 28181, 9.2, 9.8, 9.9)."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError, SafecityError
from safecity.links.sip import Flow, Incoming, SipEndpoint
from safecity.model.values.media import Quality
from safecity.protocols.gb28181 import mansrtsp
from safecity.protocols.gb28181.manscdp import CONTENT_TYPE as MANSCDP
from safecity.protocols.gb28181.manscdp import write_body
from safecity.protocols.gb28181.notices import MediaStatus
from safecity.protocols.gb28181.session import CONTENT_TYPE, GbSession, Purpose, read_session, write_session
from safecity.protocols.sip.dialog import Dialog
from safecity.sim.camera import RecordedFile
from safecity.sim.gb28181.replies import files_of
from safecity.sim.gb28181.sender import Sender
from safecity.sim.gb28181.state import Channel, DeviceState
from safecity.sim.history import History

logger = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(slots=True, eq=False)
class MediaSession:
    """One INVITE that was accepted."""

    channel: Channel
    offer: GbSession
    quality: Quality
    sender: Sender
    flow: Flow
    dialog: Dialog
    bound: socket.socket | None = None
    history: History | None = None
    started: bool = False
    ended: bool = field(default=False)

    @property
    def purpose(self) -> Purpose:
        """Play, Playback or Download."""
        return self.offer.purpose


class Sessions:
    """All media sessions of one device."""

    def __init__(self, state: DeviceState, endpoint: SipEndpoint, spawn: Spawn) -> None:
        self._state = state
        self._endpoint = endpoint
        self._spawn = spawn
        self._serial = 0
        self.invites = 0
        """How often we were asked to send."""
        self.running: dict[str, MediaSession] = {}
        """By Call-ID."""

    # --- requests -------------------------------------------------------------------------------------------

    def invited(self, incoming: Incoming) -> None:
        """INVITE from the platform."""
        self.invites += 1
        faults, profile = self._state.faults, self._state.spec.profile
        if faults.mute_invite:
            return
        if faults.refuse:
            incoming.respond(faults.refuse)
            return
        try:
            offer = read_session(incoming.request.body)
        except InvalidError:
            incoming.respond(488)
            return
        channel = self._asked_channel(incoming, offer)
        if channel is None:
            incoming.respond(404)
        elif not channel.on:
            incoming.respond(480)
        elif offer.tcp and not profile.tcp_media:
            incoming.respond(488)
        elif incoming.request.call_id in self.running:
            incoming.respond(500)
        elif len(self.running) >= profile.sessions:
            incoming.respond(486)
        elif offer.purpose.is_history and not self._files(offer):
            incoming.respond(404, "No such recording")
        else:
            self._spawn(self._accept(incoming, offer, channel))

    def _asked_channel(self, incoming: Incoming, offer: GbSession) -> Channel | None:
        uri = incoming.request.uri.partition(":")[2]
        candidates = [uri.partition("@")[0], offer.source.partition(":")[0], incoming.request.to.user]
        candidates.append(incoming.request.get("Subject").partition(":")[0])
        return next((found for code in candidates if (found := self._state.channel(code)) is not None), None)

    def said_bye(self, incoming: Incoming) -> None:
        """BYE from the platform."""
        session = self.running.pop(incoming.request.call_id, None)
        incoming.respond(200 if session is not None else 481)
        if session is not None:
            self._spawn(self._end(session))

    def informed(self, incoming: Incoming) -> None:
        """INFO: history control."""
        session = self.running.get(incoming.request.call_id)
        if session is None:
            incoming.respond(481)
            return
        try:
            act = mansrtsp.read_mansrtsp(incoming.request.body)
        except InvalidError:
            incoming.respond(400)
            return
        history = session.history
        self._state.note(f"INFO/{act}")
        match act:
            case mansrtsp.Play(cseq) if history is not None:
                history.resume(scale=act.scale, at_seconds=act.start)
            case mansrtsp.Pause(cseq) if history is not None:
                history.pause()
            case mansrtsp.Teardown(cseq):
                pass
            case _:
                incoming.respond(400)
                return
        info = mansrtsp.Answer(200, cseq, "OK", session.sender.sequence, session.sender.timestamp)
        old = self._state.spec.profile.old_spelling
        body = b"" if old else mansrtsp.write_mansrtsp(info)
        incoming.respond(200, fields=[("Content-Type", mansrtsp.CONTENT_TYPE)] if body else (), body=body)

    def want_key(self, code: str) -> None:
        """An I-frame request for a channel (or the device: all of it)."""
        for session in self.running.values():
            if session.history is None and code in (session.channel.code, self._state.spec.code):
                loop = session.channel.loop_of(session.quality)
                (loop or session.channel.camera.live(session.quality)).want_key()

    async def close(self, *, silently: bool = False) -> None:
        """End all; a device whose power is cut says no BYE."""
        for call_id in list(self.running):
            await self.hang_up(call_id, silently=silently)

    async def hang_up(self, call_id: str, *, silently: bool = False) -> None:
        """End a session from the device's side."""
        session = self.running.pop(call_id, None)
        if session is None:
            return
        if not silently:
            self._endpoint.send_blind(session.dialog.request("BYE"), session.flow)
        await self._end(session)

    # --- from the 200 to the last packet --------------------------------------------------------------------

    async def _accept(self, incoming: Incoming, offer: GbSession, channel: Channel) -> None:
        state = self._state
        quality = Quality.SUB if offer.stream_number == 1 else Quality.MAIN
        camera = channel.camera
        self._serial += 1
        ssrc = offer.ssrc if offer.ssrc is not None else self._serial
        video = camera.video(Quality.MAIN if offer.purpose.is_history else quality)
        sender = Sender(video.codec, camera.spec.sound, ssrc, state.faults, seed=self._serial)
        session = MediaSession(channel, offer, quality, sender, incoming.flow, incoming.dialog())
        call_id = incoming.request.call_id
        if offer.purpose.is_history:
            session.history = self._history(session)
        self.running[call_id] = session
        incoming.on_cancel = lambda: self._forget(call_id)
        try:
            port = await self._open_port(session)
            incoming.respond(200, fields=self._fields(incoming), body=self._answer(incoming, session, port))
            await incoming.acknowledged()
            if session.ended or state.faults.no_media:
                return
            await self._connect(session)
            if session.ended:
                await sender.close()
                return
            self._start(session)
        except (OSError, TimeoutError, SafecityError) as error:
            logger.info("media session failed channel=%s why=%s", channel.code, error)
            incoming.respond(480)
            await self.hang_up(call_id)

    def _fields(self, incoming: Incoming) -> list[tuple[str, str]]:
        contact = self._endpoint.contact(self._state.spec.code, incoming.flow)
        return [("Contact", f"<{contact}>"), ("Content-Type", CONTENT_TYPE)]

    async def _open_port(self, session: MediaSession) -> int:
        local = self._state.spec.local_host
        if not session.offer.tcp:
            session.bound = session.sender.bind_udp(local)
            return int(session.bound.getsockname()[1])
        if session.offer.setup == "active":
            return await session.sender.listen_tcp(local)
        return 9  # the discard port: we connect from wherever the system lets us

    def _answer(self, incoming: Incoming, session: MediaSession, port: int) -> bytes:
        offer, profile = session.offer, self._state.spec.profile
        size = 0
        if offer.purpose is Purpose.DOWNLOAD:
            size = (offer.end - offer.start) * session.channel.camera.video(Quality.MAIN).kbps * 125
        host = profile.private_host or self._endpoint.local_address(incoming.flow)[0]
        answer = GbSession(
            owner=session.channel.code,
            purpose=offer.purpose,
            host=host,
            port=port,
            tcp=offer.tcp,
            setup="" if not offer.tcp else "passive" if offer.setup == "active" else "active",
            direction="sendonly",
            payloads=((96, "PS/90000"),),
            ssrc=session.sender.ssrc,
            start=offer.start,
            end=offer.end,
            source=offer.source,
            file_size=size,
        )
        return write_session(answer)

    async def _connect(self, session: MediaSession) -> None:
        offer, sender = session.offer, session.sender
        if session.bound is not None:
            bound, session.bound = session.bound, None
            await sender.open_udp(bound, offer.host, offer.port)
        elif offer.setup != "active":
            await sender.open_tcp(offer.host, offer.port, self._state.spec.local_host)
        await sender.connected()

    def _start(self, session: MediaSession) -> None:
        session.started = True
        if session.history is not None:
            session.history.start()
        elif (loop := session.channel.loop_of(session.quality)) is not None:
            loop.join(session, session.sender.offer_payloads)
        else:
            session.channel.camera.live(session.quality).attach(session.sender.offer)

    def _history(self, session: MediaSession) -> History:
        """Made with the answer: the platform may send INFO as soon as it has that."""
        offer, error = session.offer, self._state.error_us
        start, end = offer.start * SECOND_US - error, offer.end * SECOND_US - error
        scale = float(offer.download_speed or 4) if offer.purpose is Purpose.DOWNLOAD else 1.0
        return History(
            session.channel.camera, self._files(offer), start, min(end, self._state.clock.now_us()),
            session.sender.offer, lambda: self._spawn(self._finished(session)), scale=scale,
        )  # fmt: skip

    def _files(self, offer: GbSession) -> list[RecordedFile]:
        """What there is of the asked window, in true time."""
        error = self._state.error_us
        found = files_of(self._state, offer.start * SECOND_US, offer.end * SECOND_US)
        return [replace(file, start_us=file.start_us - error, end_us=file.end_us - error) for file in found]

    async def _finished(self, session: MediaSession) -> None:
        """The end of the file: the platform is told within the dialog and says BYE (121)."""
        spec = self._state.spec
        self._serial += 1
        body = write_body(MediaStatus(sn=self._serial, device_id=session.channel.code), spec.profile.charset)
        request = session.dialog.request("MESSAGE", fields=[("Content-Type", MANSCDP)], body=body)
        with contextlib.suppress(SafecityError):
            await self._endpoint.request(request, session.flow, timeout=5)

    def _forget(self, call_id: str) -> None:
        session = self.running.pop(call_id, None)
        if session is not None:
            self._spawn(self._end(session))

    async def _end(self, session: MediaSession) -> None:
        session.ended = True
        if session.bound is not None:
            session.bound.close()
        loop = session.channel.loop_of(session.quality)
        if loop is not None:
            loop.leave(session)
        session.channel.camera.live(session.quality).detach(session.sender.offer)
        if session.history is not None:
            await session.history.close()
        await session.sender.close()
