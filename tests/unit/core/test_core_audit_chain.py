"""The audit log shows every edit, removal, insertion and move."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.audit.decide import GENESIS, Entry, Record, chain_hash, clean, first_fault, tidy
from safecity.core.ground.audit.seals import broken_seal, make_seal


def chain(length: int) -> list[Entry]:
    entries, previous = [], GENESIS
    for seq in range(1, length + 1):
        record = Record(at=seq, actor="us_1", actor_name="root", action="live.watch", thing=f"ch_{seq}")
        digest = chain_hash(seq, record, previous)
        entries.append(Entry(seq, record, previous, digest))
        previous = digest
    return entries


def test_an_untouched_chain_is_sound() -> None:
    assert first_fault(chain(5)) is None


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
    found = first_fault(entries)
    assert found is not None
    assert found in (place + 1, place + 2)


def test_names_of_strangers_cannot_forge_lines_or_hide_their_direction() -> None:
    hostile = "cam\r\n2026 root deleted\u202eexe.\x1b[2J" + "x" * 10_000
    said = clean(Record(at=1, actor="us_1", actor_name="root", action="a", thing_name=hostile)).thing_name
    assert len(said) <= 500
    assert all(c not in said for c in "\r\n\u202e\x1b")
    assert tidy("\ud800").isprintable()


def test_a_seal_shows_a_log_that_was_cut_off_or_written_anew() -> None:
    key = Ed25519PrivateKey.generate()
    entries = chain(6)
    lines = [make_seal(e.seq, e.hash, e.seq, key) for e in entries if e.seq % 2 == 0]
    hashes = {e.seq: e.hash for e in entries}
    assert broken_seal(lines, hashes, key.public_key()) is None
    assert broken_seal(lines, {seq: h for seq, h in hashes.items() if seq < 5}, key.public_key()) == 6
    assert broken_seal(lines, {**hashes, 4: b"other"}, key.public_key()) == 4
    forged = make_seal(2, hashes[2], 2, Ed25519PrivateKey.generate())
    assert broken_seal([forged], hashes, key.public_key()) == 2
