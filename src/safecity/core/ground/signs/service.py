"""Signs and their messages for people: each step is in the audit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import ROOT, Action, Actor, Predicate, Vault, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places.api import area_at, find_area
from safecity.core.ground.signs import store
from safecity.core.ground.signs.ahead import Trouble, standing_before
from safecity.core.ground.signs.decide import (
    MAX_MESSAGES,
    MAX_SIGNS,
    GuidanceSign,
    SignMessage,
    SignReport,
    SignState,
    check_key,
    check_lines,
    check_message,
    check_sign,
    thing_of,
    wanted,
)
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, ExhaustedError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

KEPT_US: Final = 90 * 86_400 * SECOND_US
"""What was shown is told for so long."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A sign, what it says, and what is wanted of it (None: its fallback)."""

    sign: GuidanceSign
    report: SignReport
    wanted: SignMessage | None


@dataclass(frozen=True, slots=True)
class Suggested:
    """A sign that stands so many metres before a trouble and says nothing of it yet."""

    sign: GuidanceSign
    trouble: Trouble
    metres: float


class Signs:
    """Of the roads. What is set is told to the sign at once, and only what the sign says is shown as standing there."""

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._changed = changed

    async def page(
        self, who: Actor, *, after: tuple[str, str] | None = None, limit: int = 100, area: str = ""
    ) -> list[Standing]:
        """By name."""
        allowed = scope(who, Action.SIGN_VIEW)

        def work(tx: Tx) -> list[Standing]:
            path = find_area(tx, area).path if area else ""
            return self._standing(tx, store.page(tx, allowed, after=after, limit=limit, area=path))

        return await self._database.read(work)

    async def see(self, who: Actor, sign: str) -> Standing:
        return await self._database.read(lambda tx: self._standing(tx, [find_sign(tx, who, Action.SIGN_VIEW, sign)])[0])

    async def add(self, who: Actor, key: str, values: dict[str, Any]) -> tuple[Standing, str]:
        """The sign and its key, which is never shown again; an empty key: one is made. InvalidError as `check_sign` and
        `check_key`."""
        key = check_key(key or secrets.token_urlsafe(24))

        def work(tx: Tx) -> Standing:
            sign = _placed(tx, GuidanceSign(id=fresh("gs"), created_by=who.name, created_at=who.at, **values))
            authorize(who, Action.SIGN_MANAGE, thing_of(sign))
            sign = _checked(sign)
            if store.count(tx) >= MAX_SIGNS:
                raise ExhaustedError("too many signs", code="too_many", params={"limit": MAX_SIGNS})
            store.add(tx, sign, self._vault.seal(key, sign.id))
            note(tx, who, Action.SIGN_MANAGE, thing_of(sign), sign.name, added=True, address=sign.address)
            return self._standing(tx, [sign])[0]

        standing = await self._database.write(work)
        self._changed()
        return standing, key

    async def change(
        self, who: Actor, sign: str, revision: int | None, values: dict[str, Any], key: str | None = None
    ) -> Standing:
        """ConflictError `changed_meanwhile`; else as `add`."""
        if key is not None:
            check_key(key)

        def work(tx: Tx) -> Standing:
            old = find_sign(tx, who, Action.SIGN_MANAGE, sign)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = _checked(_placed(tx, replace(old, **values)))
            authorize(who, Action.SIGN_MANAGE, thing_of(new))
            if new == old and key is None:
                return self._standing(tx, [old])[0]
            new = replace(new, revision=old.revision + 1)
            store.save(tx, new, None if key is None else self._vault.seal(key, sign))
            names = sorted(name for name in values if getattr(new, name) != getattr(old, name))
            note(
                tx,
                who,
                Action.SIGN_MANAGE,
                thing_of(new),
                new.name,
                changed=" ".join(names + ["key"] * (key is not None)),
            )
            return self._standing(tx, [new])[0]

        standing = await self._database.write(work)
        self._changed()
        return standing

    async def remove(self, who: Actor, sign: str) -> None:
        """It is told nothing more: what stands on it goes when the sign's own time for it is over."""

        def work(tx: Tx) -> None:
            found = find_sign(tx, who, Action.SIGN_MANAGE, sign)
            store.remove(tx, sign)
            note(tx, who, Action.SIGN_MANAGE, thing_of(found), found.name, removed=True)

        await self._database.write(work)
        self._changed()

    # --- messages ---------------------------------------------------------------------------------------------

    async def messages(
        self, who: Actor, sign: str, *, past: bool = False, before: str = "", limit: int = 100
    ) -> list[SignMessage]:
        """The newest first."""
        now = self._clock.now_us()

        def work(tx: Tx) -> list[SignMessage]:
            find_sign(tx, who, Action.SIGN_VIEW, sign)
            return store.messages_of(tx, sign, at=now, past=past, before=before, limit=limit)

        return await self._database.read(work)

    async def show(
        self, who: Actor, sign: str, *, lines: Sequence[str], priority: int, start: int | None, end: int, reason: str,
        cause: str = "",
    ) -> SignMessage:  # fmt: skip
        """Have it shown. InvalidError as `check_message`."""
        now = self._clock.now_us()

        def work(tx: Tx) -> SignMessage:
            of = find_sign(tx, who, Action.SIGN_SHOW, sign)
            message = SignMessage(
                id=fresh("gm"), sign=sign, lines=check_lines(of, lines), priority=priority,
                start=now if start is None else start, end=end, reason=reason.strip(), cause=cause, set_by=who.name,
                set_at=now,
            )  # fmt: skip
            check_message(of, message, now)
            if len(store.lasting(tx, now, sign).get(sign, ())) >= MAX_MESSAGES:
                raise ExhaustedError("too many messages", code="too_many", params={"limit": MAX_MESSAGES})
            store.add_message(tx, message)
            note(
                tx, who, Action.SIGN_SHOW, thing_of(of), of.name, reason=message.reason,
                lines=" / ".join(message.lines), priority=priority, start=message.start, end=end, cause=cause,
            )  # fmt: skip
            return message

        message = await self._database.write(work)
        self._changed()
        return message

    async def withdraw(self, who: Actor, sign: str, message: str) -> None:
        """Take it off; once is enough."""
        now = self._clock.now_us()

        def work(tx: Tx) -> None:
            of = find_sign(tx, who, Action.SIGN_SHOW, sign)
            found = store.find_message(tx, sign, message)
            if found is None:
                raise NotFoundError("no such message", code="not_found", params={"kind": "sign_message"})
            if found.withdrawn_at is not None or found.end <= now:
                return
            store.withdraw(tx, message, who.name, now)
            note(
                tx, who, Action.SIGN_SHOW, thing_of(of), of.name, reason=found.reason, lines=" / ".join(found.lines),
                withdrawn=True,
            )  # fmt: skip

        await self._database.write(work)
        self._changed()

    async def history(self, who: Actor, sign: str, *, before: str, limit: int) -> list[tuple[str, SignReport]]:
        """What it really showed, by its own word, the newest first."""

        def work(tx: Tx) -> list[tuple[str, SignReport]]:
            find_sign(tx, who, Action.SIGN_VIEW, sign)
            return store.history(tx, sign, before=before, limit=limit)

        return await self._database.read(work)

    async def suggested(self, who: Actor, troubles: Sequence[Trouble]) -> list[Suggested]:
        """Signs before these troubles that `who` may write on and that say nothing of them, the nearest first."""
        allowed, now = scope(who, Action.SIGN_SHOW), self._clock.now_us()

        def work(tx: Tx) -> tuple[list[GuidanceSign], dict[str, list[SignMessage]]]:
            return store.every(tx, allowed), store.lasting(tx, now)

        signs, messages = await self._database.read(work)
        said = {(one.sign, one.cause) for each in messages.values() for one in each if one.cause}
        found = [
            Suggested(sign, trouble, metres)
            for trouble in troubles
            for sign, metres in standing_before(signs, trouble)
            if (sign.id, trouble.id) not in said
        ]
        return sorted(found, key=lambda one: (one.metres, one.sign.id))

    async def sweep(self) -> int:
        """Forget what is long over."""
        now = self._clock.now_us()
        return await self._database.write(lambda tx: store.sweep(tx, now - KEPT_US))

    def _standing(self, tx: Tx, signs: Sequence[GuidanceSign]) -> list[Standing]:
        now = self._clock.now_us()
        reports = store.reports_of(tx, [one.id for one in signs])
        messages = store.lasting(tx, now, signs[0].id if len(signs) == 1 else "")
        return [
            Standing(
                one, _reported(one, reports.get(one.id)), wanted(messages.get(one.id, ()), now) if one.enabled else None
            )
            for one in signs
        ]


def find_sign(tx: Tx, who: Actor, action: Action, sign: str) -> GuidanceSign:
    """The sign, if `who` may do `action` to it; what one may not see does not exist."""
    found = store.find(tx, sign)
    visible: Predicate = scope(who, Action.SIGN_VIEW)
    if found is None or not visible.allows(thing_of(found)):
        raise NotFoundError("no such sign", code="not_found", params={"kind": "sign"})
    authorize(who, action, thing_of(found))
    return found


def _reported(sign: GuidanceSign, report: SignReport | None) -> SignReport:
    if not sign.enabled:
        return SignReport(sign=sign.id, state=SignState.OFF)
    return report or SignReport(sign=sign.id, state=SignState.WAITING)


def _placed(tx: Tx, sign: GuidanceSign) -> GuidanceSign:
    """In the area that was named, else in the one that it stands in."""
    area = find_area(tx, sign.area) if sign.area else area_at(tx, sign.longitude, sign.latitude)
    return replace(sign, area=area.id if area else None, area_path=area.path if area else ROOT)


def _checked(sign: GuidanceSign) -> GuidanceSign:
    check_sign(sign)
    return replace(sign, fallback=check_lines(sign, sign.fallback)) if sign.fallback else sign
