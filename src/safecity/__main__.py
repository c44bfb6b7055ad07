"""`python -m safecity`."""

from safecity.cli.main import app

if __name__ == "__main__":
    app()
