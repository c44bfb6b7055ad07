"""Files of heat maps, one for each vision slot: a cache, which is worth no repair and outlives no slot."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import UnavailableError
from safecity.ports.sqlfile import SqlFile

logger = logging.getLogger(__name__)
_END: Final = "-movement.db"


def map_file(folder: Path, slot: str) -> Path:
    """Where the slot of this address (`vision-N`) keeps them."""
    return folder / f"{slot}{_END}"


def open_maps(path: Path) -> SqlFile:
    """Where the file is damaged it is begun anew. Otherwise as `open_file`."""
    try:
        return open_file(path)
    except UnavailableError as error:
        if error.code != "file_damaged":
            raise
        logger.error("heat maps are damaged, they are made anew path=%s why=%s", path, error)
        for one in path.parent.glob(f"{path.name}*"):
            if not one.name.endswith(".lock"):
                one.unlink(missing_ok=True)
        return open_file(path)


def sweep_maps(folder: Path, slots: int) -> list[str]:
    """Delete what belongs to slots that are not configured any more: nobody else would ever let those maps go with
    their footage. Answers the names. Blocks; OSError."""
    kept = {map_file(folder, f"vision-{number}").name for number in range(slots)}
    found = [one for one in folder.glob(f"vision-*{_END}*") if one.name[: one.name.index(_END)] + _END not in kept]
    for one in found:
        one.unlink(missing_ok=True)
    return sorted(one.name for one in found)
