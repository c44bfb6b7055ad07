"""The second phase of deletions whose first one is committed: extents back to the pool, holes punched.

Whatever is done here may be done again after a crash: the rows that ask for it go last.
"""

from __future__ import annotations

from itertools import groupby

from safecity.media.record.index import GARBAGE, Index
from safecity.media.record.volume import Pool


def free_extents(pool: Pool, index: Index) -> None:
    """Extents of which nothing is wanted any more."""
    for extent in index.extents(GARBAGE):
        pool.give_back(extent.name)
        index.add("DELETE FROM extent WHERE no = ?", (extent.no,))
    if index.changed:
        index.commit()


def punch_holes(pool: Pool, index: Index) -> None:
    """Parts of extents that are used otherwise; one opening and one sync for each extent."""
    rows = index.sql.execute(
        "SELECT p.extent_no, e.name, p.start, p.length FROM punch p LEFT JOIN extent e ON e.no = p.extent_no "
        "ORDER BY p.extent_no, p.start"
    )
    for (number, name), some in groupby(rows, lambda row: (row[0], row[1])):
        if name is not None:
            pool.punch(name, [(start, length) for _, _, start, length in some])
        index.add("DELETE FROM punch WHERE extent_no = ?", (number,))
    if index.changed:
        index.commit()
