"""Fetch the newest pip wheel from the configured package index with the standard library alone.

    python3 tools/fetch_pip.py FOLDER

For a Debian machine that has neither ensurepip nor pip. Honours PIP_INDEX_URL.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import urllib.parse
import urllib.request
from pathlib import Path


def main(folder: str) -> None:
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    with urllib.request.urlopen(index, timeout=60) as answer:  # noqa: S310 - an https address of the administrator's
        page = answer.read().decode("utf-8", "replace")
        base = answer.geturl()
    links = re.findall(r'href="([^"]*/(pip-(\d+(?:\.\d+)+)-py3-none-any\.whl)#sha256=([0-9a-f]{64}))"', page)
    if not links:
        sys.exit(f"no pip wheel found at {index}")
    link, name, _, digest = max(links, key=lambda found: tuple(int(part) for part in found[2].split(".")))
    with urllib.request.urlopen(urllib.parse.urljoin(base, link), timeout=60) as answer:  # noqa: S310
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != digest:
        sys.exit("the pip wheel does not match its digest")
    (Path(folder) / name).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
