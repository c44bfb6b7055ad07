"""Put the built browser application into the wheel as `safecity/web/static`, compressed beside the plain files.

The release wheel needs no Node: what is in ui/dist at the time of building goes in. An editable install does not
run this, it serves ui/dist of the checkout.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_TEXT = {".js", ".css", ".html", ".svg", ".json", ".webmanifest"}


class StaticHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        dist = Path(self.root) / "ui" / "dist"
        if version == "editable" or not dist.is_dir():
            return
        for path in sorted(dist.rglob("*")):
            if not path.is_file() or path.name == ".sources" or path.suffix == ".gz":
                continue
            target = f"safecity/web/static/{path.relative_to(dist).as_posix()}"
            build_data["force_include"][str(path)] = target
            if path.suffix in _TEXT:
                packed = path.with_name(path.name + ".gz")
                packed.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
                build_data["force_include"][str(packed)] = target + ".gz"
