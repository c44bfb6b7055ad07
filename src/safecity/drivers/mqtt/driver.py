"""What a broker tells, made into letters: gathered, handed on, and acknowledged in their order once they are kept."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from safecity.drivers.mqtt.broker import Broker
from safecity.drivers.mqtt.link import BrokerLink, keep_calling
from safecity.drivers.tally import Tally
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.kit.retry import Backoff
from safecity.ports.positions import FeedFigure, Letter, LetterBox, Receipt
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.mqtt.packets import Publish, TooLong
from safecity.protocols.mqtt.session import Ended, Happened, Listening

logger = logging.getLogger(__name__)
AT_A_TIME: Final = 200
BYTES_AT_A_TIME: Final = 2 << 20
MAX_WAITING: Final = 1_000
MAX_WAITING_BYTES: Final = 8 << 20
"""Messages that wait for the disk; then no more are let in, and the broker keeps them."""
A_SECOND, AT_ONCE = 20.0, 2_000.0
"""Messages of one topic: as many positions as one device may tell."""
NAME: Final = 80
"""Letters of a topic, from its end, that are remembered: one may have 65,535, and nothing is known by so many."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
"""Seconds until letters that could not be kept are handed on again."""
TOO_LONG: Final = "mqtt_too_long"
RETAINED: Final = "mqtt_retained"
FLOOD: Final = "mqtt_flood"
FAILED: Final = "mqtt_failed"


@dataclass(frozen=True, slots=True)
class _Came:
    """A message; `reason`: why it is not handed on."""

    link: BrokerLink
    message: Publish | TooLong
    reason: str = ""

    @property
    def size(self) -> int:
        return len(self.message.topic) + (len(self.message.payload) if isinstance(self.message, Publish) else 0)


class PositionFeed:
    """One broker. `run` it; `figure` says how it is."""

    def __init__(self, broker: Broker, box: LetterBox, clock: Clock) -> None:
        self._broker = broker
        self._box = box
        self._clock = clock
        self._waiting: deque[_Came] = deque()
        self._bytes = 0
        self._something = asyncio.Event()
        self._told = Buckets(rate=A_SECOND, burst=AT_ONCE, max_keys=100_000)
        self._state, self._since = "offline", clock.now_us()
        self._code, self._number = "mqtt_starting", 0
        self._messages = self._taken = self._doubled = 0
        self.tally = Tally("broker")

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                keep_calling(self._broker, self._clock.monotonic, self.heard, self.away), name="calling the broker"
            )
            group.create_task(self._hand_on(), name="letters of the broker")

    def figure(self) -> FeedFigure:
        """How it is now."""
        name = self._broker.url.place
        return FeedFigure(
            name=name, state=self._state, since=self._since, code=self._code,
            params={"broker": name, "number": self._number}, messages=self._messages, taken=self._taken,
            doubled=self._doubled, waiting=len(self._waiting), refused=dict(self.tally.counts),
        )  # fmt: skip

    # --- what comes -------------------------------------------------------------------------------------------

    def heard(self, link: BrokerLink, one: Happened) -> None:
        """Of the link, in its order."""
        match one:
            case Listening(kept=kept, at_least_once=sure):
                self._becomes("online", "" if sure else "mqtt_at_most_once")
                logger.info("listening at the broker broker=%s session_kept=%s", self._broker.url.place, kept)
            case Publish() | TooLong():
                self._messages += 1
                self._waiting.append(came := _Came(link, one, self._doubt(one)))
                self._bytes += came.size
                self._something.set()
                if len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES:
                    link.hold(True)
            case _:
                pass

    def away(self, end: Ended, why: str) -> None:
        """The link is gone, or was not to be had."""
        if self._state == "online" or self._code != end.code:
            logger.warning(
                "broker away broker=%s code=%s number=%s why=%s", self._broker.url.place, end.code, end.number, why
            )
        self._becomes("offline", end.code, end.number)

    def _becomes(self, state: str, code: str, number: int = 0) -> None:
        if state != self._state:
            self._state, self._since = state, self._clock.now_us()
        self._code, self._number = code, number

    def _doubt(self, one: Publish | TooLong) -> str:
        if isinstance(one, TooLong):
            return TOO_LONG
        if one.retained:
            # It was told before, to whoever listened then; where somebody is now it does not say.
            return RETAINED
        return "" if self._told.take(one.topic[-NAME:], self._clock.monotonic()) else FLOOD

    # --- where it goes ----------------------------------------------------------------------------------------

    async def _hand_on(self) -> None:
        backoff, room = Backoff(FIRST_WAIT, LONGEST_WAIT), AT_A_TIME
        while True:
            await self._something.wait()
            self._forget_lost()
            batch = self._next(room)
            if not batch:
                self._something.clear()
                continue
            letters = [_letter(one.message) for one in batch if not one.reason and isinstance(one.message, Publish)]
            try:
                receipt = await self._box.take(letters) if letters else Receipt()
            except (SafecityError, OSError) as error:
                if not backoff.failures:
                    logger.warning("positions of the broker wait why=%s", error)
                await asyncio.sleep(backoff.failed(0.5))
                continue
            except Exception:
                # One letter that breaks us must not hold up all others: it is looked for one by one, and left out.
                if len(batch) > 1:
                    room = 1
                    continue
                logger.exception("letter of the broker not taken")
                receipt = Receipt(refused={FAILED: 1}, last={FAILED: letters[0].name})
            if backoff.failures:
                logger.info("positions of the broker are kept again")
            backoff.succeeded()
            room = min(AT_A_TIME, room * 2)
            self._done(batch, receipt)

    def _next(self, room: int) -> list[_Came]:
        """What is handed on at a time; it stays in the queue until it is kept."""
        batch: list[_Came] = []
        size = 0
        for one in self._waiting:
            if len(batch) >= room or (batch and size + one.size > BYTES_AT_A_TIME):
                break
            batch.append(one)
            size += one.size
        return batch

    def _forget_lost(self) -> None:
        """What came over a link that is gone comes again, where that was promised; else it would be kept twice."""
        if any(not one.link.alive and one.message.qos for one in self._waiting):
            self._waiting = deque(one for one in self._waiting if one.link.alive or not one.message.qos)
            self._bytes = sum(one.size for one in self._waiting)

    def _done(self, batch: Sequence[_Came], receipt: Receipt) -> None:
        by_link: dict[BrokerLink, list[Publish | TooLong]] = {}
        for one in batch:
            self._waiting.popleft()
            self._bytes -= one.size
            by_link.setdefault(one.link, []).append(one.message)
            if one.reason:
                self.tally.note(one.reason, one.message.topic[-80:])
        self._taken += receipt.taken
        self._doubled += receipt.doubled
        for reason, times in receipt.refused.items():
            self.tally.note(reason, receipt.last.get(reason, "")[:80], times)
        for link, messages in by_link.items():
            link.acknowledge(messages)
            if len(self._waiting) < MAX_WAITING // 2 and self._bytes < MAX_WAITING_BYTES // 2:
                link.hold(False)


def _letter(message: Publish) -> Letter:
    return Letter(message.topic.rpartition("/")[2], message.payload)
