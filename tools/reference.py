"""Write docs/reference from the code, or check that it is in step.

python tools/reference.py [--check]
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
_MADE = "<!-- made by tools/reference.py from the code; edit there -->\n\n"


def ranges() -> dict[str, str]:
    """What the checks in the settings themselves allow, by setting: they are calls with constants."""
    server = ROOT / "src" / "safecity" / "server"
    text = "".join(one.read_text("utf-8") for one in (server / "settings.py", *sorted(server.glob("sections/*.py"))))
    tree = ast.parse(text.replace("from __future__ import annotations\n", ""))
    found: dict[str, str] = {}
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args):
            continue
        if call.func.id == "within":
            name, _, low, high = (ast.unparse(part) for part in call.args)
            number = {"__builtins__": {}}
            span = (eval(low, number), eval(high, number))  # noqa: S307 - digits and operators of our own source
            found[ast.literal_eval(name)] = f"{span[0]:,} to {span[1]:,}"
        elif call.func.id == "one_of":
            name, _, choices = call.args
            found[ast.literal_eval(name)] = ", ".join(f"`{choice}`" for choice in ast.literal_eval(choices))
    return found


def settings_page() -> str:
    """Every setting with its unit, default and range."""
    from safecity.server.sections.footage import VolumeSettings
    from safecity.server.settings import describe

    lines = [
        "# Settings\n",
        "One file, `DATA/safecity.toml`, read at start. `SAFECITY_SECTION__NAME` in the environment and the command",
        "line override it. A setting that is wrong stops the start with a sentence that names it.\n",
    ]
    section, allowed = "", ranges()
    for name, kind, default, text in describe():
        here = name.split(".")[0] if "." in name else "(top)"
        if here != section:
            if section:
                lines.append("")
            section = here
            body = "\n".join(line.strip() for line in text.strip().splitlines())
            lines += [
                "## Top of the file\n" if here == "(top)" else f"## [{section}]\n",
                f"```text\n{body}\n```\n",
                "| setting | type | default | range |",
                "|---|---|---|---|",
            ]
        lines.append(f"| `{name}` | {kind} | `{default}` | {allowed.get(name, '')} |")
    volume = "\n".join(line.strip() for line in (VolumeSettings.__doc__ or "").strip().splitlines())
    lines += ["\n## [[record.volumes]]\n", f"```text\n{volume}\n```\n"]
    lines += ["| setting | range |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in allowed.items() if name.startswith("record.volumes.")]
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
        r"^(MAX_[A-Z0-9_]+|[A-Z0-9_]*_LIMIT)(?:\s*:[^=]+)?\s*=\s*(0x[0-9A-F_]+|[0-9][0-9_ *.+()<>-]*)", re.MULTILINE
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
    for name in ("media_calls", "signal_calls", "control_calls", "vision_calls", "traffic_calls", "vehicle_calls"):
        module = importlib.import_module(f"safecity.model.facts.{name}")
        lines += [f"## {(module.__doc__ or '').splitlines()[0]}\n", "| message | fields | |", "|---|---|---|"]
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__ and hasattr(kind, "__struct_fields__"):
                text = " ".join((kind.__doc__ or "").split())
                lines.append(f"| `{kind.__name__}` | {', '.join(kind.__struct_fields__)} | {text} |")
        lines.append("")
    return "\n".join(lines) + "\n"


def document() -> dict[str, Any]:
    """The API in OpenAPI. It needs no services behind the routes."""
    from safecity.web.app import create_app

    return create_app(cast(Any, None)).openapi()


def openapi_file() -> str:
    """For clients, and for the comparison with the last release (tools/api_breaks.py)."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def api_page() -> str:
    """Every route with what it does."""
    described = document()
    lines = [
        "# HTTP API\n",
        "Generated from OpenAPI: [openapi.json](openapi.json), which a running platform serves as",
        "`/api/v1/openapi.json`. The browser application's types are generated from it.\n",
    ]
    lines += ["| route | action | |", "|---|---|---|"]
    for path, methods in sorted(described["paths"].items()):
        for method, operation in sorted(methods.items()):
            action = operation.get("x-action", "")
            summary = " ".join(str(operation.get("description") or operation.get("summary", "")).split())
            lines.append(f"| `{method.upper()} {path}` | {action} | {summary} |")
    return "\n".join(lines) + "\n"


FILES: dict[str, Callable[[], str]] = {
    "settings.md": lambda: _MADE + settings_page(),
    "limits.md": lambda: _MADE + limits_page(),
    "calls.md": lambda: _MADE + calls_page(),
    "api.md": lambda: _MADE + api_page(),
    "openapi.json": openapi_file,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale: list[str] = []
    for name, make in FILES.items():
        text, path = make(), FOLDER / name
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
