# Two commands do all set-up on a fresh machine: `make run` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAFECITY_UI_DIST ?= $(CURDIR)/ui/dist

.DEFAULT_GOAL := help

help: ## show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(VENV)/.ready ui-if-changed ## virtual environment with everything, and the browser application

$(VENV)/.ready: pyproject.toml tools/setup_venv.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash tools/setup_venv.sh
	@touch $@

ui-if-changed: $(VENV)/.ready
	@$(BIN)/python tools/build_ui.py

run: setup ## start the platform with the demo city; prints one address and a one-time link
	@$(BIN)/safecity run --data "$(DATA)" --demo --log "$(DATA)/logs/safecity.log"

test: setup ## run every test (smoke sizes)
	@$(BIN)/python tools/run_tests.py

# The browser application is built while Python is checked.
check: $(VENV)/.ready ## style, types, layers, texts, generated pages, breaks of the API
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-browser check-python

check-python: $(VENV)/.ready
	@$(BIN)/ruff format --check src tests benchmarks tools
	@$(BIN)/ruff check src tests benchmarks tools
	@$(BIN)/basedpyright --level error src
	@$(BIN)/lint-imports
	@$(BIN)/python tools/licences.py
	@$(BIN)/python tools/reference.py --check
	@$(BIN)/python tools/api_breaks.py

check-browser: ui-if-changed
	@$(BIN)/python tools/build_ui.py --check

format: $(VENV)/.ready ## put the sources into shape
	@$(BIN)/ruff format src tests benchmarks tools
	@$(BIN)/ruff check --fix src tests benchmarks tools

reference: setup ## write docs/reference from the code, and the browser's types from it
	@$(BIN)/python tools/reference.py
	@$(BIN)/python tools/build_ui.py --client

bench: setup ## every benchmark at full size (see docs/design/performance.md)
	@$(BIN)/python -m benchmarks.all

fuzz: $(VENV)/.ready ## run every fuzz target for SECONDS_EACH (30), and every hostile value at every place of the API
	@$(BIN)/python tools/fuzz.py --seconds $${SECONDS_EACH:-30}
	@SAFECITY_TEST_WHOLE=1 $(BIN)/python -m pytest -q tests/unit/web/test_web_hostile_values.py

soak: setup ## 200 streams for an hour or more (SECONDS_TOTAL=3600)
	@$(BIN)/python -m benchmarks.soak --seconds $${SECONDS_TOTAL:-3600}

wheel: setup ## build the wheel with the browser application inside
	@$(BIN)/python -m build --wheel --outdir dist

bundle: setup ## an archive that installs on a machine without any network
	@bash tools/bundle.sh

clean: ## forget what was built (recordings in $(DATA) stay)
	rm -rf $(VENV) ui/node_modules ui/dist dist build .cache

.PHONY: help setup ui-if-changed run test check check-python check-browser format reference bench fuzz soak wheel bundle clean
