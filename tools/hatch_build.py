"""Put the built browser application into the wheel as `safecity/web/static`: the files, each text beside itself as
Brotli and gzip, and the manifest that names them.

The release wheel and the source archive need no Node: what is in ui/dist at the time of building goes in. An editable
install does not run this, it serves ui/dist of the checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StaticHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        dist = Path(self.root) / "ui" / "dist"
        if version == "editable":
            return
        if not (dist / "index.html").is_file():
            self.app.display_warning("ui/dist is not built: this wheel has no browser application (`make setup`)")
            return
        for path in sorted(dist.rglob("*")):
            if path.is_file() and path.name != ".sources":
                build_data["force_include"][str(path)] = f"safecity/web/static/{path.relative_to(dist).as_posix()}"
