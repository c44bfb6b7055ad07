"""Compile what is compiled on its first call and then kept on the disk, before many processes each do it.

python -m tests.kernels
"""

from __future__ import annotations

import tempfile
from pathlib import Path


def main() -> None:
    """Nothing, where the extra `safecity[roads]` is not installed."""
    try:
        from tests.contract.traffic_city import network, placed

        from safecity.core.upper.traffic.city import City
    except ImportError:
        return
    with tempfile.TemporaryDirectory() as folder:
        City(network(), placed(Path(folder))).warm()


if __name__ == "__main__":
    main()
