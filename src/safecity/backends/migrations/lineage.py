"""Bring a database to the newest schema. The scripts lie in the package, so a wheel migrates like a checkout."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def configuration() -> Config:
    """Alembic's settings without a file."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("safecity.backends") / "migrations"))
    config.attributes["configure_logger"] = False
    return config


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run what is missing, each step in a transaction."""
    config = configuration()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def downgrade(engine: Engine, to: str) -> None:
    """Back to an older step; for tests of the way there and back."""
    config = configuration()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)
