.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench faults run docs
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SIZE ?= 200000
PLATFORM ?=
ONCE ?=
REPORT ?=
ONLY ?=
N ?=
WORKERS ?= auto
KILLS ?= 100
MESSAGES ?= 200000

INSTALLED := $(VENV)/.installed
PACKAGE := $(VENV)/.package
SPARK := $(VENV)/.spark
ASSETS := $(VENV)/.assets
CONSOLE := src/textwave/console

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(INSTALLED) $(PACKAGE) $(ASSETS) ## Make the environment in .venv; quick when nothing changed

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements/development.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	@touch $@

$(SPARK): requirements/spark.txt | $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/spark.txt
	@touch $@

$(PACKAGE): pyproject.toml $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(ASSETS): $(CONSOLE)/package-lock.json $(CONSOLE)/package.json $(CONSOLE)/assets.py $(PACKAGE)
	$(BIN)/python -m textwave.console.assets
	@touch $@

demo: setup ## Run the whole product once: SIZE=200000 customers, PLATFORM=aliyun, ONCE=1 to end after, REPORT=file.json
	$(BIN)/textwave demo --size $(SIZE) $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(ONCE),--once) $(if $(REPORT),--report $(REPORT))

run: setup ## Start everything on this machine until Ctrl-C
	$(BIN)/textwave up

test: setup $(SPARK) ## Run all tests
	@command -v chromium >/dev/null || echo 'Chromium is missing; for the browser tests: apt-get install chromium'
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: setup $(SPARK) ## Format, lint, types, import rules, generated references
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python docs/generate_states.py --check
	$(BIN)/python -m textwave.cli.references check

docs: setup ## Write the generated references under docs/reference
	$(BIN)/python docs/generate_states.py
	$(BIN)/python -m textwave.cli.references write

bench: setup ## Measure against baselines: ONLY=name, N=rows
	ONLY=$(ONLY) N=$(N) $(BIN)/python -m tests.bench

faults: setup ## Break things at random points and look whether everything is accounted for
	KILLS=$(KILLS) MESSAGES=$(MESSAGES) $(BIN)/python -m pytest tests/faults
