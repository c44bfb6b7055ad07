#!/usr/bin/env bash
# Make the virtual environment, on machines with and without ensurepip (Debian keeps it in python3-venv).
set -euo pipefail
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"

"$PYTHON" - <<'EOP'
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(f"Safecity needs CPython 3.11 to 3.13, this is {sys.version.split()[0]}; set PYTHON=/path/to/python3.11")
EOP

echo "Setting up $VENV (some minutes the first time) ..."
if [ ! -x "$VENV/bin/python" ]; then
  if ! "$PYTHON" -m venv "$VENV" 2>/dev/null; then
    rm -rf "$VENV"
    echo "python3-venv is not installed; making the environment without it"
    if "$PYTHON" -m virtualenv --version >/dev/null 2>&1; then
      "$PYTHON" -m virtualenv -q "$VENV"
    else
      "$PYTHON" -m venv --without-pip "$VENV"
    fi
  fi
fi
if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
  # pip is a plain wheel: run it from inside itself to install itself.
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  if "$PYTHON" -m pip --version >/dev/null 2>&1; then
    "$PYTHON" -m pip download -q --no-deps -d "$work" pip
  else
    "$PYTHON" tools/fetch_pip.py "$work"
  fi
  wheel="$(ls "$work"/pip-*.whl)"
  PYTHONPATH="$wheel" "$VENV/bin/python" -m pip install -q --no-index --find-links "$work" pip
fi
wheels=()
if [ -d wheels ]; then wheels=(--no-index --find-links wheels); fi
"$VENV/bin/python" -m pip install -q --upgrade "${wheels[@]}" "pip>=25.1"
"$VENV/bin/python" -m pip install -q "${wheels[@]}" -e '.[av,vision,roads,osm]' --group dev --group build
# One file out of it is used (docs/design/dependencies.md); without it plates are read by our own reader alone.
"$VENV/bin/python" -m pip install -q "${wheels[@]}" --no-deps --group second \
  || echo "the second reader of plates is not to be had; plates are read by our own reader alone"
