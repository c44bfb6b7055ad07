"""Nothing copyleft in what the platform needs: python tools/licences.py [--list]

Looks at what is really installed: the licence that each required package (and what it requires in turn) declares, and
the shared libraries that its wheel carries, because a wheel can hold what its metadata do not speak of (the wheel of
PyAV carries x264 and x265; it is therefore an extra and never required).
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import PurePosixPath

from packaging.requirements import Requirement

FREE = re.compile(r"\b(MIT|BSD|Apache|PSF|Python|ISC|MPL|Mozilla|Unlicense|0BSD|HPND|CNRI|Zlib)", re.IGNORECASE)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|GNU|EUPL|CC-BY-NC|SSPL|BUSL)", re.IGNORECASE)
COPYLEFT_LIBRARIES = re.compile(r"(x264|x265|libpostproc|xvidcore|rubberband|libgpl)", re.IGNORECASE)


def required(root: str, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """`root` and all that it requires here, by name, without what only extras ask for."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(f"{root}[{','.join(sorted(extras))}]" if extras else root)]
    while waiting:
        wish = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wish.name).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(wish.name)
        except PackageNotFoundError:
            continue  # asked for elsewhere (another system, another Python)
        for text in found[name].requires or []:
            further = Requirement(text)
            if further.marker is None or any(further.marker.evaluate({"extra": one}) for one in ("", *wish.extras)):
                waiting.append(further)
    return found


def licence(of: Distribution) -> str:
    """What the package declares, in its own words."""
    head = of.metadata
    said = [head.get("License-Expression") or "", *(c for c in head.get_all("Classifier") or [] if "License ::" in c)]
    text = "; ".join(one.rsplit("::", 1)[-1].strip() for one in said if one)
    return text or (head.get("License") or "").strip().split("\n")[0][:80]


def libraries(of: Distribution) -> list[str]:
    """Shared libraries of others inside the wheel (its own extension modules are not meant)."""
    files = [PurePosixPath(str(one)) for one in of.files or []]
    return sorted({one.name for one in files if ".so" in one.suffixes and ".libs" in str(one.parent)})


def objections(name: str, said: str, carried: list[str]) -> list[str]:
    """Why a required package may not stay; empty when it may. Where one may choose, one free licence is enough."""
    why: list[str] = []
    if not FREE.search(said):
        why.append(f"{name}: no licence that we know as free: {said or 'none declared'!r}")
    elif COPYLEFT.search(said) and " OR " not in said:
        why.append(f"{name}: copyleft: {said}")
    return why + [f"{name}: its wheel carries {one}" for one in carried if COPYLEFT_LIBRARIES.search(one)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print every package, the extra `av` too")
    options = parser.parse_args()
    needed = required("safecity")
    needed.pop("safecity")
    bad = [line for name, one in sorted(needed.items()) for line in objections(name, licence(one), libraries(one))]
    if options.list:
        for name, one in sorted(required("safecity", frozenset({"av"})).items()):
            mark = "" if name in needed else "  (extra av)"
            print(f"{name} {one.version}: {licence(one)}{mark}", *libraries(one), sep="\n    ")
    for line in bad:
        print(line, file=sys.stderr)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
