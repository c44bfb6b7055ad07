"""Puts the drawn streets of the demo city in force as a road network, where there is none yet.

    python -m safecity.sim.towndraw DATA/roads

In a process of its own: the first time what builds networks is compiled. Without the extra `safecity[roads]` it does
nothing, and ends with 3.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from safecity.sim import town


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    folder = Path((sys.argv[1:] if arguments is None else arguments)[0])
    try:
        from safecity.roads.network.arrays import EdgeFlag, RoadClass
        from safecity.roads.network.build import build_network
        from safecity.roads.network.draft import Draft
        from safecity.roads.network.versions import current_version, put_version
    except ImportError:
        return 3
    if current_version(folder):
        return 0
    draft = Draft()
    for number, place in town.crossings().items():
        draft.add_node(number, *place)
    for street in town.streets():
        draft.add_row(
            street.key, street.start, street.end, backward=True, limit=street.limit,
            road_class=RoadClass.PRIMARY if street.kind == "primary" else RoadClass.RESIDENTIAL,
            flags=EdgeFlag.BRIDGE if street.bridge else EdgeFlag(0),
        )  # fmt: skip
    network = build_network(draft, label=town.LABEL, credit=town.CREDIT).network
    put_version(folder, network, dropped=draft.dropped, sources=(), at_us=time.time_ns() // 1000)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
