"""Write docs/reference from the code, or check that it is in step.

python tools/reference.py [--check]
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
_MADE = "<!-- made by tools/reference.py from the code; edit there -->\n\n"


def settings_page() -> str:
    """Every setting with its unit, default and range."""
    from safecity.server.settings import VolumeSettings, describe

    lines = [
        "# Settings\n",
        "One file, `DATA/safecity.toml`, read at start. `SAFECITY_SECTION__NAME` in the environment and the command",
        "line override it. A setting that is wrong stops the start with a sentence that names it.\n",
    ]
    section = ""
    for name, kind, default, text in describe():
        if name.split(".")[0] != section:
            section = name.split(".")[0]
            body = "\n".join(line.strip() for line in text.strip().splitlines())
            lines += [f"## [{section}]\n", f"```text\n{body}\n```\n", "| setting | type | default |", "|---|---|---|"]
        lines.append(f"| `{name}` | {kind} | `{default}` |")
    volume = "\n".join(line.strip() for line in (VolumeSettings.__doc__ or "").strip().splitlines())
    lines += ["\n## [[record.volumes]]\n", f"```text\n{volume}\n```\n"]
    return "\n".join(lines) + "\n"


def limits_page() -> str:
    """Every module constant in capitals whose docstring or name says that it is a limit."""
    lines = [
        "# Limits\n",
        "What the platform refuses or drops rather than be overrun by; each is a constant in the code.\n",
        "| limit | value | where |",
        "|---|---|---|",
    ]
    pattern = re.compile(
        r"^(MAX_[A-Z0-9_]+|[A-Z0-9_]*_LIMIT)(?:\s*:[^=]+)?\s*=\s*([0-9][0-9_ *.+()<>-]*)", re.MULTILINE
    )
    for path in sorted((ROOT / "src" / "safecity").rglob("*.py")):
        for name, value in pattern.findall(path.read_text("utf-8")):
            try:
                number = eval(value.split("#")[0].strip(), {"__builtins__": {}})  # noqa: S307 - digits and operators
            except SyntaxError:
                continue  # made of other names
            where = path.relative_to(ROOT / "src").as_posix()
            lines.append(f"| `{name}` | {number:,} | `{where}` |")
    return "\n".join(lines) + "\n"


def calls_page() -> str:
    """Every message of the joints between processes."""
    lines = ["# Calls between the processes\n"]
    for name in ("media_calls", "signal_calls", "control_calls"):
        module = importlib.import_module(f"safecity.model.facts.{name}")
        lines += [f"## {(module.__doc__ or '').splitlines()[0]}\n", "| message | fields | |", "|---|---|---|"]
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__ and hasattr(kind, "__struct_fields__"):
                text = " ".join((kind.__doc__ or "").split())
                lines.append(f"| `{kind.__name__}` | {', '.join(kind.__struct_fields__)} | {text} |")
        lines.append("")
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """Every route with what it does."""
    from safecity.web.app import create_app

    # The description needs no services behind the routes.
    described = create_app(cast(Any, None)).openapi()
    lines = ["# HTTP API\n", "Generated from OpenAPI, which a running platform serves under `/api/v1/openapi.json`.\n"]
    lines += ["| route | action | |", "|---|---|---|"]
    for path, methods in sorted(described["paths"].items()):
        for method, operation in sorted(methods.items()):
            action = operation.get("x-action", "")
            summary = " ".join(str(operation.get("description") or operation.get("summary", "")).split())
            lines.append(f"| `{method.upper()} {path}` | {action} | {summary} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "limits.md": limits_page,
    "calls.md": calls_page,
    "api.md": api_page,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale: list[str] = []
    for name, make in PAGES.items():
        text, path = _MADE + make(), FOLDER / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if options.check:
            stale.append(name)
        else:
            path.write_text(text, "utf-8")
    if stale:
        sys.stderr.write(f"docs/reference is out of step: {', '.join(stale)}; run `make reference`\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
