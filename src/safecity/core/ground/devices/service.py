"""Commands and queries about devices."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, Vault, allowed, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices import positions, store
from safecity.core.ground.devices.decide import (
    Device,
    DeviceKind,
    check_beacon,
    check_choice,
    check_code,
    check_mmsi,
    check_phone,
    check_token,
    check_transport,
    split_url,
)
from safecity.core.ground.places.api import check_name, find_area, find_organisation
from safecity.core.ground.settings.api import Settings, get, put, touch_desired
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx
from safecity.protocols.jt808.channels import camera_name

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""For secrets that people type into a device with a remote control: nothing that looks like something else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDevice:
    """What is asked of somebody who adds a device. An empty password of one that registers is made by us."""

    kind: str
    name: str = ""
    code: str = ""
    password: str = ""
    username: str = ""
    url: str = ""
    sub_url: str = ""
    area: str | None = None
    organisation: str | None = None
    transport: str = ""
    charset: str = "GB18030"
    record_mode: str = "continuous"
    demo: bool = False


def find_device(tx: Tx, who: Actor, action: Action, device: str) -> Device:
    """The device, if `who` may do `action` to it; what one may not see does not exist."""
    found = store.find(tx, device)
    if found is None or not scope(who, Action.DEVICE_SEE).allows(thing_of(found)):
        raise NotFoundError("no such device", code="not_found", params={"kind": "device"})
    authorize(who, action, thing_of(found))
    return found


def thing_of(device: Device) -> Thing:
    """What decisions about it need."""
    return Thing("device", device.area_path, id=device.id, organisation=device.organisation_path)


def _along(who: Actor, channel: channels.Channel, old: Device, new: Device) -> channels.Channel:
    """The channel where its device goes, as far as it was there too and `who` may move it."""
    moved = channel
    if channel.area_path == old.area_path:
        moved = replace(moved, area=new.area, area_path=new.area_path)
    if channel.organisation_path == old.organisation_path:
        moved = replace(moved, organisation=new.organisation, organisation_path=new.organisation_path)
    may = all(allowed(who, Action.CHANNEL_CHANGE, channels.thing_of(one)) for one in (channel, moved))
    return moved if may else channel


def _hosts(device: Device) -> set[str]:
    """Where a pulled device's password is sent: host and port of its addresses."""
    return {urlsplit(url).netloc.lower() for url in (device.url, device.sub_url) if url}


class Devices:
    """Adding, changing and removing; secrets are sealed at the door and shown once."""

    def __init__(
        self, database: Database, vault: Vault, settings: Settings, board: channels.Board, slots: tuple[str, ...]
    ) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._board = board
        self._slots = slots

    async def see(self, who: Actor, device: str, action: Action = Action.DEVICE_SEE) -> Device:
        return await self._database.read(lambda tx: find_device(tx, who, action, device))

    async def page(
        self, who: Actor, *, after: tuple[str, str] | None, limit: int, area: str = "", q: str = "", kind: str = ""
    ) -> tuple[list[Device], tuple[str, str] | None]:
        """By name; see Channels.page."""
        allowed = scope(who, Action.DEVICE_SEE)

        def work(tx: Tx) -> list[tuple[str, Device]]:
            path = find_area(tx, area).path if area else ""
            return store.page(tx, allowed, after=after, limit=limit + 1, area=path, q=q, kind=kind)

        rows = await self._database.read(work)
        more = len(rows) > limit
        rows = rows[:limit]
        return [device for _, device in rows], (rows[-1][0], rows[-1][1].id) if more else None

    async def add(self, who: Actor, new: NewDevice) -> tuple[Device, str]:
        """The device and its password, which is never shown again."""
        kind = DeviceKind(check_choice("kind", new.kind, tuple(str(k) for k in DeviceKind)))
        url, sub_url, username, password = "", "", new.username, new.password
        if kind is DeviceKind.RTSP:
            url, user, secret = split_url(new.url)
            username, password = username or user, password or secret
            sub_url = split_url(new.sub_url)[0] if new.sub_url else ""
            code, transport = "", check_transport(kind, new.transport)
        elif kind is DeviceKind.JT808:
            # It is given a code when it registers, and has nothing that could be typed in.
            transport = check_transport(kind, new.transport)
            code, username, password = check_phone(new.code), "", ""
        elif kind is DeviceKind.AIS:
            # It tells everybody, and asks nobody.
            code, transport, username, password = check_mmsi(new.code), "auto", "", ""
        elif kind is DeviceKind.HTTP:
            # Programs send it: nobody types it in, so that it need not be short.
            code, transport, username, password = check_beacon(new.code), "tcp", "", secrets.token_urlsafe(24)
        else:
            code = check_code(new.code)
            transport = check_transport(kind, new.transport)
            password = password or "".join(secrets.choice(_ALPHABET) for _ in range(12))
        if len(password) > 128 or len(username) > 128:
            raise InvalidError("too long", code="too_long", params={"field": "password", "limit": 128})
        check_choice("charset", new.charset, ("GB18030", "GB2312", "GBK", "UTF-8"))
        check_choice("record_mode", new.record_mode, ("off", "continuous", "schedule"))
        name = check_name(new.name) if new.name.strip() else ""

        def work(tx: Tx) -> Device:
            area = find_area(tx, new.area) if new.area else None
            organisation = find_organisation(tx, new.organisation) if new.organisation else None
            path, belongs = area.path if area else ROOT, organisation.path if organisation else ROOT
            authorize(who, Action.DEVICE_ADD, Thing("device", path, organisation=belongs))
            if code and store.find_by_code(tx, code, kind):
                raise ConflictError("code taken", code="device_code_taken", params={"code": code})
            device = Device(
                id=fresh("dv"), kind=kind, name=name or code or url.split("//", 1)[1].split("/")[0], code=code,
                area=area.id if area else None, area_path=path, organisation=new.organisation or None,
                organisation_path=belongs, url=url, sub_url=sub_url, username=username, transport=transport,
                charset=new.charset, demo=new.demo, name_given=bool(name), created_at=who.at,
            )  # fmt: skip
            store.add(tx, device, self._vault.seal(password, device.id) if password else None)
            if kind is DeviceKind.RTSP:
                self._add_pulled(tx, device, new.record_mode)
            elif kind is DeviceKind.GB28181 and new.record_mode != "continuous":
                self._settings_of_new(tx, device, new.record_mode)
            touch_desired(tx)
            note(tx, who, Action.DEVICE_ADD, thing_of(device), device.name, code=code)
            return device

        device = await self._database.write(work)
        self._board.device(device)
        return device, password

    def _add_pulled(self, tx: Tx, device: Device, record_mode: str) -> None:
        sources = {"main": device.url} | ({"sub": device.sub_url} if device.sub_url else {})
        channel = self.template(tx, device)
        record = {**channel.record, "mode": record_mode}
        channel = replace(
            channel,
            id=fresh("ch"),
            code="1",
            name=device.name,
            sources=sources,
            qualities=tuple(sources),
            record=record,
        )
        channels.add(tx, replace(channel, slot=channels.place(channel.id, channels.load(tx, self._slots))))

    def _settings_of_new(self, tx: Tx, device: Device, record_mode: str) -> None:
        put(tx, f"record_mode/{device.id}", record_mode)

    def template(self, tx: Tx, device: Device) -> channels.Channel:
        """What a new channel of the device starts from."""
        platform = self._settings.platform(tx)
        # A vehicle's line is paid for by what goes over it, and its terminal records by itself.
        usual = "off" if device.kind is DeviceKind.JT808 else "continuous"
        record = {
            "mode": get(tx, f"record_mode/{device.id}", usual),
            "retention_days": platform.retention_days,
            "floor_days": platform.floor_days,
        }
        return channels.Channel(
            id="", device=device.id, code="", name="", area=device.area, area_path=device.area_path,
            organisation=device.organisation, organisation_path=device.organisation_path, record=record,
        )  # fmt: skip

    async def add_cameras(self, who: Actor, device: str, numbers: Sequence[int]) -> Device:
        """Cameras of a vehicle terminal that does not tell them, by logical number; those that are known already stay
        as they are. RefusedError `not_a_vehicle`."""

        def work(tx: Tx) -> Device:
            found = find_device(tx, who, Action.DEVICE_CHANGE, device)
            if found.kind is not DeviceKind.JT808:
                raise RefusedError("no vehicle terminal", code="not_a_vehicle", params={"name": found.name})
            known = {channel.code for channel in channels.of_device(tx, device)}
            template, language = self.template(tx, found), self._settings.platform(tx).language
            for number in sorted({one for one in numbers if str(one) not in known}):
                camera = replace(
                    template, id=fresh("ch"), code=str(number), name=camera_name(found.name, number, language),
                    qualities=("main", "sub"), ordinal=number,
                )  # fmt: skip
                channels.add(tx, replace(camera, slot=channels.place(camera.id, channels.load(tx, self._slots))))
            touch_desired(tx)
            cameras = ", ".join(map(str, numbers))
            note(tx, who, Action.DEVICE_CHANGE, thing_of(found), found.name, changed="cameras", cameras=cameras)
            return found

        return await self._database.write(work)

    async def change(self, who: Actor, device: str, revision: int | None, changes: dict[str, Any]) -> Device:
        """Set name, password, username, url, transport, charset, enabled, position_seconds, digests, area,
        organisation."""

        def work(tx: Tx) -> Device:
            old = find_device(tx, who, Action.DEVICE_CHANGE, device)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            values = dict(changes)
            password = values.pop("password", None)
            if password and old.kind is DeviceKind.HTTP:
                check_token(password)
            if "transport" in values:
                values["transport"] = check_transport(old.kind, values["transport"])
            if "digests" in values:
                values["digests"] = list(dict.fromkeys(values["digests"]))
            if "name" in values:
                values["name"], values["name_given"] = check_name(values["name"]), True
            for field in ("url", "sub_url"):
                if values.get(field):
                    values[field], user, secret = split_url(values[field])
                    if field == "url" and user:
                        values["username"], password = user, secret or password
            if "area" in values:
                values["area_path"] = find_area(tx, values["area"]).path if values["area"] else ROOT
            if "organisation" in values:
                named = values["organisation"]
                values["organisation_path"] = find_organisation(tx, named).path if named else ROOT
            new = replace(old, **values, revision=old.revision + 1)
            if password is None and _hosts(new) - _hosts(old):
                # The stored password belongs to the old address; whoever may edit must not send it to another.
                password = ""
            authorize(who, Action.DEVICE_CHANGE, thing_of(new))
            store.save(tx, new, None if password is None else self._vault.seal(password, device))
            for channel in channels.of_device(tx, device):
                moved = _along(who, channel, old, new)
                if new.kind is DeviceKind.RTSP:
                    sources = {"main": new.url} | ({"sub": new.sub_url} if new.sub_url else {})
                    name = channel.name if channel.name_given else new.name
                    moved = replace(moved, sources=sources, qualities=tuple(sources), name=name)
                if moved != channel:
                    channels.save(tx, replace(moved, revision=moved.revision + 1))
            touch_desired(tx)
            note(
                tx, who, Action.DEVICE_CHANGE, thing_of(new), new.name,
                changed=", ".join(sorted(changes)), password=password is not None,
            )  # fmt: skip
            return new

        new = await self._database.write(work)
        self._board.device(new)
        return new

    async def remove(self, who: Actor, device: str) -> list[str]:
        """Remove a device and its channels; answers the channels. What was recorded stays until its time is over."""

        def work(tx: Tx) -> list[str]:
            old = find_device(tx, who, Action.DEVICE_DELETE, device)
            return remove_device(tx, who, old)

        return await self._database.write(work)

    async def remove_demo(self, who: Actor) -> int:
        """Remove everything that the demo city added; how many devices."""
        authorize(who, Action.DEVICE_DELETE, Thing("platform"))

        def work(tx: Tx) -> int:
            gone = store.demo_ids(tx)
            for device in gone:
                found = store.find(tx, device)
                if found is not None:
                    remove_device(tx, who, found)
            self._settings.set(tx, who, {"demo": False})
            return len(gone)

        return await self._database.write(work)

    async def load_board(self) -> None:
        """Tell the board of all devices, at start."""
        self._board.devices(device for device, _ in await self._database.read(store.everything))


def remove_device(tx: Tx, who: Actor, device: Device) -> list[str]:
    """Inside a transaction of somebody who may."""
    gone = channels.remove_of_device(tx, device.id)
    store.remove(tx, device.id)
    positions.forget(tx, device.id)
    touch_desired(tx)
    note(tx, who, Action.DEVICE_DELETE, thing_of(device), device.name, code=device.code, channels=len(gone))
    return gone
