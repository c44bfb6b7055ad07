"""The audit log shows every edit, removal, insertion and move, also after its old part was forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.audit.decide import GENESIS, Entry, Record, chain_hash, clean, tidy
from safecity.core.ground.audit.proof import Proof, Proving
from safecity.core.ground.audit.seals import Seal, Sealed, read_seals, write_seal

KEY = Ed25519PrivateKey.generate()


def chain(length: int) -> list[Entry]:
    entries, previous = [], GENESIS
    for seq in range(1, length + 1):
        record = Record(at=seq, actor="us_1", actor_name="root", action="live.watch", thing=f"ch_{seq}")
        digest = chain_hash(seq, record, previous)
        entries.append(Entry(seq, record, previous, digest))
        previous = digest
    return entries


def seal(entry: Entry, *, cut: bool = False) -> Seal:
    return Seal(entry.seq, entry.hash, entry.seq, cut)


def prove(entries: list[Entry], *seals: Seal) -> Proof:
    proving = Proving(Sealed(seals))
    proving.feed(entries)
    return proving.proof()


def rewritten(entries: list[Entry], place: int) -> list[Entry]:
    """One record changed and every hash after it made to fit: what somebody with the database can do."""
    out, previous = entries[:place], entries[place].previous
    for entry in entries[place:]:
        record = replace(entry.record, actor="us_2") if entry is entries[place] else entry.record
        digest = chain_hash(entry.seq, record, previous)
        out.append(Entry(entry.seq, record, previous, digest))
        previous = digest
    return out


def test_an_untouched_chain_is_sound() -> None:
    entries = chain(5)
    proof = prove(entries, seal(entries[1]), seal(entries[3]))
    assert (proof.sound, proof.first, proof.last, proof.sealed, proof.forgotten) == (True, 1, 5, 4, 0)
    assert prove([]).sound


@given(st.integers(0, 4), st.sampled_from(["edit", "remove", "double", "swap", "forge"]))
def test_every_change_is_found_at_its_place(place: int, change: str) -> None:
    entries = chain(6)
    if change == "edit":
        entries[place] = replace(entries[place], record=replace(entries[place].record, thing="ch_other"))
    elif change == "remove":
        del entries[place]
    elif change == "double":
        entries.insert(place, entries[place])
    elif change == "swap":
        entries[place], entries[place + 1] = entries[place + 1], entries[place]
    else:
        record = replace(entries[place].record, actor="us_2")
        seq, previous = entries[place].seq, entries[place].previous
        entries[place] = Entry(seq, record, previous, chain_hash(seq, record, previous))
    assert prove(entries).fault in (place + 1, place + 2)


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_log_written_anew_is_found_by_the_first_seal_after_the_change(place: int, sealed: int) -> None:
    entries = chain(6)
    proof = prove(rewritten(entries, place), seal(entries[sealed]))
    assert proof.fault == (sealed + 1 if sealed >= place else None)
    assert proof.code == ("audit_rewritten" if sealed >= place else "")


@given(st.integers(1, 6))
def test_a_log_that_was_cut_off_is_found_by_a_seal_of_what_is_missing(left: int) -> None:
    entries = chain(6)
    proof = prove(entries[:left], seal(entries[4]))
    assert (proof.fault, proof.code) == ((left + 1, "audit_cut_off") if left < 5 else (None, ""))
    assert prove([], seal(entries[4])).code == "audit_cut_off"


def test_a_log_may_begin_late_only_where_a_signed_cut_says_so() -> None:
    entries = chain(8)
    cut = seal(entries[3], cut=True)
    proof = prove(entries[4:], seal(entries[1]), cut, seal(entries[6]))
    assert (proof.sound, proof.first, proof.forgotten, proof.sealed) == (True, 5, 4, 7)
    assert prove(entries[4:], seal(entries[3])).code == "audit_removed", "a seal alone allows nothing"
    assert prove(entries[5:], cut).code == "audit_removed", "more is missing than was said"
    assert prove(entries[2:], cut).sound, "a drop that was broken off"
    assert prove(entries, cut).sound, "and one that had not begun"
    assert not prove(rewritten(entries, 2)[2:], cut).sound
    assert not prove(rewritten(entries, 4)[4:], cut, seal(entries[6])).sound
    other = rewritten(entries, 1)
    assert prove(other[4:], cut).code == "audit_changed", "the rest hangs on what was forgotten"


def test_seals_are_read_as_they_were_written_and_forged_ones_are_told() -> None:
    seals = [Seal(1, b"a" * 32, 10), Seal(2, b"b" * 32, 20, cut=True)]
    lines = [write_seal(one, KEY) for one in seals]
    assert read_seals(lines, KEY.public_key()) == Sealed(tuple(seals))
    assert read_seals(lines, Ed25519PrivateKey.generate().public_key()).forged == 1
    turned = lines[0].replace('"at": 10', '"at": 11')
    assert read_seals([turned], KEY.public_key()).forged == 1
    into_cut = lines[0].replace('{"at"', '{"cut": true, "at"')
    assert read_seals([into_cut], KEY.public_key()).forged == 1, "nobody makes a cut out of a seal"
    assert not Proving(read_seals([turned], KEY.public_key())).proof().sound


@pytest.mark.parametrize("torn", ["", "{", '{"seq": 3}', '{"seq": "x", "hash": "00", "at": 1, "sig": ""}', "\x00"])
def test_a_line_that_a_crash_left_torn_is_counted_and_proves_nothing(torn: str) -> None:
    line = write_seal(Seal(1, b"a" * 32, 10), KEY)
    found = read_seals([torn, line], KEY.public_key())
    assert (found.torn, found.forged, len(found.seals)) == (1, None, 1)


def test_what_was_written_before_records_had_an_organisation_stays_sound() -> None:
    record = Record(at=1, actor="us_1", actor_name="root", action="live.watch")
    before = '{"action":"live.watch","actor":"us_1","actor_name":"root","address":"","area":"/","at":1,"details":{},'
    before += '"kind":"","outcome":"done","reason":"","request":"","seq":1,"session":"","thing":"","thing_name":""}'
    import hashlib

    assert chain_hash(1, record, GENESIS) == hashlib.sha256(GENESIS + before.encode()).digest()
    assert chain_hash(1, replace(record, organisation="/01a/"), GENESIS) != chain_hash(1, record, GENESIS)


def test_names_of_strangers_cannot_forge_lines_or_hide_their_direction() -> None:
    hostile = "cam\r\n2026 root deleted\u202eexe.\x1b[2J" + "x" * 10_000
    said = clean(Record(at=1, actor="us_1", actor_name="root", action="a", thing_name=hostile)).thing_name
    assert len(said) <= 500
    assert all(c not in said for c in "\r\n\u202e\x1b")
    assert tidy("\ud800").isprintable()
