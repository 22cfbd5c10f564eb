# Every target gets what it needs first: uv (into .tools/ when it is not installed), the packages
# of the lock file (into .venv/) and, where a server runs, Temporal's binary (into the user's cache).
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.tools/uv/bin/uv)
RUN := $(UV) run --no-sync
STATE ?= .racine
COVERAGE := 90

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: temporal  ## Govern a made-up shop from end to end, and show what was found
	$(RUN) python server.py demo --state $(STATE)

dev: temporal  ## Run Temporal, the API and the workers on a fresh state, until Ctrl-C
	$(RUN) python server.py dev --fresh --state $(STATE)

test: lint temporal test-sources  ## Lint, types, import contracts, and the fast tests with their coverage
	$(RUN) pytest -n 2 -m "not slow" --tb=short --cov --cov-report= --cov-fail-under=$(COVERAGE)

test-slow: temporal test-sources  ## Kill, cluster and large tests
	$(RUN) pytest -m slow

lint: sync  ## Format, lint, types, import contracts
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) lint-imports

bench: temporal  ## Measure engine, API, scanning, scale and peers: one line of JSON each
	$(RUN) python -m bench.engine
	$(RUN) python -m bench.api
	$(RUN) python -m bench.scan
	$(RUN) python -m bench.scale
	$(RUN) python -m bench.peers

audit: sync  ## Look the locked packages up among known vulnerabilities
	$(RUN) python -m tools.audit

sync: .venv/.synced  ## Get uv and the packages of the lock file

temporal: sync  ## Get Temporal's binary; prints where it is
	@$(RUN) python -m tools.temporal.binary

test-sources: sync  ## Get the sources that tests scan: MariaDB's server, an S3 gateway
	@$(RUN) python -m tools.mariadb
	@$(RUN) python -m tools.versitygw

.venv/.synced: uv.lock pyproject.toml | $(UV)
	$(UV) sync --locked
	@touch $@

.tools/uv/bin/uv:
	@sh tools/get-uv.sh $(PYTHON) .tools/uv

.PHONY: help demo dev test test-slow lint bench audit sync temporal test-sources
