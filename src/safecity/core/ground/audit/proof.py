"""Whether the audit log is whole: every record against the chain, and the chain against its seals. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safecity.core.ground.audit.decide import GENESIS, Entry, chain_hash
from safecity.core.ground.audit.seals import Sealed


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """`fault` is the first sequence number that does not hold, and `code` says how; None and empty when all is sound.

    first, last   records that are there now
    sealed        the newest record that a seal of ours covers
    forgotten     up to here retention has dropped the log, as a signed cut says
    """

    fault: int | None = None
    code: str = ""
    first: int = 0
    last: int = 0
    sealed: int = 0
    forgotten: int = 0

    @property
    def sound(self) -> bool:
        return self.fault is None


class Proving:
    """Feed all entries in order, then ask for the proof."""

    def __init__(self, sealed: Sealed) -> None:
        self._sealed = sealed
        self._hashes: dict[int, set[bytes]] = {}
        for seal in sealed.seals:
            self._hashes.setdefault(seal.seq, set()).add(seal.hash)
        self._cuts = {seal.seq for seal in sealed.seals if seal.cut}
        self._previous = GENESIS
        self._next = 1
        self._first = 0
        self._fault: int | None = sealed.forged
        self._code = "" if sealed.forged is None else "audit_seal_forged"

    def feed(self, entries: Iterable[Entry]) -> bool:
        """False once a fault is found: the rest says nothing any more."""
        for entry in entries:
            if self._fault is None and not self._first:
                self._begin(entry)
            if self._fault is not None:
                return False
            self._follow(entry)
        return self._fault is None

    def _begin(self, entry: Entry) -> None:
        """The log may begin late only where a cut of ours says so: right after it, or before it, where a drop was
        broken off halfway."""
        self._first = entry.seq
        if entry.seq == 1:
            return
        before = entry.seq - 1
        if before in self._cuts:
            if self._hashes[before] != {entry.previous}:
                self._break(entry.seq, "audit_changed")
        elif not any(cut >= entry.seq for cut in self._cuts):
            self._break(1, "audit_removed")
        self._previous, self._next = entry.previous, entry.seq

    def _follow(self, entry: Entry) -> None:
        good = chain_hash(self._next, entry.record, self._previous)
        if entry.seq != self._next or entry.previous != self._previous or entry.hash != good:
            self._break(self._next, "audit_changed")
        elif self._hashes.get(entry.seq, {good}) != {good}:
            self._break(entry.seq, "audit_rewritten")
        self._previous, self._next = good, entry.seq + 1

    def _break(self, seq: int, code: str) -> None:
        self._fault, self._code = seq, code

    def proof(self) -> Proof:
        """After the last entry."""
        last = self._next - 1
        newest = max(self._hashes, default=0)
        if self._fault is None and newest > last:
            self._break(last + 1, "audit_cut_off")
        return Proof(
            fault=self._fault,
            code=self._code,
            first=self._first,
            last=last if self._first else 0,
            sealed=max((seq for seq in self._hashes if seq <= last), default=0),
            forgotten=max((cut for cut in self._cuts if cut < self._first), default=0),
        )
