.DEFAULT_GOAL := help
UV := uv

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

lint:  ## Format check, lint, types, import contracts
	$(UV) run ruff format --check .
	$(UV) run ruff check .
	$(UV) run mypy
	$(UV) run lint-imports

test:  ## The fast, telling tests
	$(UV) run pytest -n 2 -m "not slow"

.PHONY: help lint test
