"""Logs: one line per change, a fixed message, then `key=value`; never a secret."""

from __future__ import annotations

import logging
import re
import sys
import time

from safecity.kit.trace import trace

_SECRETS = re.compile(
    r"(?i)((?:password|passwd|secret|token|authorization|response|ticket)\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;]+)"
    r"|(\b[a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+@"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\n(?!\s|Traceback|[\w.]+(?:Error|Exception))")


def redact(text: str) -> str:
    """Hide what looks like a credential; a last net, not a licence to log one."""
    return _SECRETS.sub(lambda m: f"{m[1]}***" if m[1] else f"{m[3]}***@", text)


class _Line(logging.Formatter):
    converter = time.gmtime

    def __init__(self, process: str) -> None:
        super().__init__(
            f"%(asctime)s.%(msecs)03dZ %(levelname)-7s {process} %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )

    def format(self, record: logging.LogRecord) -> str:
        # Device-supplied text may carry line breaks and escape codes to forge lines.
        line = redact(_CONTROLS.sub("�", super().format(record)))
        request = trace()
        if not request:
            return line
        head, end, rest = line.partition("\n")  # a traceback follows
        return f"{head} request={request}{end}{rest}"


def configure_logging(level: str, process: str) -> None:
    """Write to standard error; `process` stands in each line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("alembic", "uvicorn", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
