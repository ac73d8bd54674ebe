# Needs python3.11 or newer, pip and make; everything else is installed into .venv from requirements.lock.
# PYTHON picks the interpreter: make PYTHON=python3.12 test

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest

# Some images forbid Python to keep what it compiled: each of our processes would then compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check setup lint types rooms menus unit golden bench storm chaos schemathesis openapi lock

help:
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r target words; do printf '%-12s %s\n' "$$target" "$$words"; done

run: setup ## start everything in the foreground: stores, web, workers, simulated operators (PORT, USSDAPP_HOME)
	@$(BIN)/python -m ussdapp.sandbox.run --with-parent

test: setup ## run the whole suite on real PostgreSQL and Valkey
	$(PYTEST) -n 3 --dist loadfile

check: lint types rooms menus test ## all that a change has to pass

setup: $(READY) ## install what the project needs into .venv

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy, strict
	$(BIN)/mypy

rooms: setup ## which room may import which
	$(BIN)/lint-imports

menus: setup ## prove the menus
	$(BIN)/ussdapp menus check

unit: setup ## the tests that need no server
	$(PYTEST) -m "not real"

golden: setup ## write the transcripts anew; ends red, so that the difference is read
	$(PYTEST) tests/transcripts --golden

bench: setup ## print the figures of DESIGN section 4, beside their peers (wrk, node and npm where installed)
	$(BIN)/python -m bench.ussd_step
	$(BIN)/python -m bench.back_office_hang
	$(BIN)/python -m bench.intake
	$(BIN)/python -m bench.delivery

storm: setup ## the faults at full length: 100,000 callbacks, as many receipts, 500 dialogues through five deaths of Valkey, 1,000 menus
	STORM_CALLBACKS=100000 STORM_SESSIONS=500 RECEIPT_STORM=100000 $(PYTEST) tests/storms
	HOSTILE=all $(PYTEST) tests/e2e/test_hostile_files.py
	MUTATED_MENUS=1000 HYPOTHESIS=thorough $(PYTEST) -m "not real"

chaos: setup ## the faults of sending at full length, in under 15 minutes: dead workers and stores, cut binds, a full disk (CHAOS_SEED)
	CHAOS=1 $(PYTEST) -n 2 --dist loadfile --durations 10 tests/chaos

# Its packages take longer to install than a check may: they are in a place of their own.
schemathesis: setup ## attack every operation of the API, all phases and checks, some minutes (EXAMPLES, SEED)
	$(PIP) install --no-compile --upgrade --require-hashes --target .schemathesis -r tests/openapi/requirements.lock
	$(BIN)/python -m tests.openapi.attack

openapi: setup ## write what is published of the API anew; refused unless all that changed was added
	$(BIN)/python -m tests.openapi.published

lock: setup ## choose versions anew and write requirements.lock (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --all-extras --python-version 3.11 \
		pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		tests/openapi/requirements.in -o tests/openapi/requirements.lock

# --no-compile: a third of the time; Python compiles what is used when it is used.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed and $(PYTHON) is %d.%d: name another one with PYTHON=..." % sys.version_info[:2])'
	@test -x $(BIN)/python && $(BIN)/python -c 'import pip' 2>/dev/null || $(MAKE) --no-print-directory $(VENV)
	$(PIP) install --no-compile --require-hashes -r requirements.lock
	$(PIP) install --no-compile --no-deps --no-build-isolation -e .
	@touch $@

# Debian without python3-venv has no ensurepip: virtualenv brings its own, and --target is allowed despite PEP 668.
.PHONY: $(VENV)
$(VENV):
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		$(PYTHON) -m venv --clear $(VENV); \
	else \
		$(PYTHON) -m pip --disable-pip-version-check --quiet install --target .tools virtualenv && \
		PYTHONPATH=.tools $(PYTHON) -m virtualenv --quiet --clear $(VENV); \
	fi
