# Everything a developer or operator needs; `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A worker a core, from two to four: each costs six seconds of CPU before its first test.
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; [ $$n -lt 2 ] && n=2; echo $$n)
FAST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not browser and not kill"
# What CI adds to `make test`.
COVERED := --cov --cov-report=term-missing:skip-covered --cov-fail-under=95

.DEFAULT_GOAL := help
.PHONY: help run test cover slow check bench migration screenshots format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

run: $(STAMP) ## Set everything up and run the bridge with demo data
	@$(BIN)/tongdao run --demo

test: $(STAMP) ## Set everything up and run the fast tests, PostgreSQL included
	$(FAST) $(if $(CI),$(COVERED))

cover: $(STAMP) ## Run the fast tests with branch coverage of the rules and use cases, at least 95 %
	$(FAST) $(COVERED)

slow: $(STAMP) ## Run the slow tests: browser, kill, load
	$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist worksteal -m "slow or browser or kill"

check: $(STAMP) ## Run the checks that CI runs: ruff, mypy, import-linter, docs and catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_house.py

bench: $(STAMP) ## Measure, print tables, and write docs/performance.md and docs/scaling.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]'
	$(BIN)/python -m benchmarks

migration: $(STAMP) ## Write a migration from the tables: make migration m="What it does"
	$(BIN)/python -m storage.schema "$(m)"

screenshots: $(STAMP) ## Walk the main journey in Chromium and keep every screen under screenshots/
	TONGDAO_SCREENSHOTS=screenshots $(BIN)/python -m pytest -q -p no:cacheprovider tests/acceptance/test_*screens.py tests/acceptance/test_leaving.py
	@echo "see screenshots/"

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

clean: ## Remove what was built; data under var/ stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
