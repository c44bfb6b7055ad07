"""`python -m safecity.server.role NAME [--slot N]`: one duty in one process, started by the supervisor."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os

from safecity.kit.logs import configure_logging
from safecity.server.context import context_from_environment, die_with_supervisor, go_first, run_role

ROLES = {
    "control": "safecity.server.roles.control",
    "signal": "safecity.server.roles.signal",
    "media": "safecity.server.roles.media",
    "traffic": "safecity.server.roles.traffic",
    "vision": "safecity.server.roles.vision",
}


def main() -> None:
    """Load the duty's module by name, so that a recorder never imports what only the API needs."""
    parser = argparse.ArgumentParser(prog="safecity-role")
    parser.add_argument("name", choices=sorted(ROLES))
    parser.add_argument("--slot", type=int, default=0)
    options = parser.parse_args()
    die_with_supervisor()
    context = context_from_environment(options.name, options.slot)
    configure_logging(context.settings.log_level, context.address)
    nice = go_first(options.name)
    logging.getLogger(__name__).info("duty starts name=%s pid=%s nice=%s", context.address, os.getpid(), nice)
    # What is loaded stays. Looked over for rubbish again and again meanwhile, it would take a quarter more time.
    gc.disable()
    module = importlib.import_module(ROLES[options.name])
    gc.freeze()
    gc.enable()
    run_role(context, module.main)


if __name__ == "__main__":
    main()
