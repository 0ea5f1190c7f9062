PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
T ?= tests
K ?=
M ?= not slow
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help dev demo test test-all cov lint type format protos protos-check bench docs build lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

dev: $(STAMP) ## Create .venv with everything pinned

demo: $(STAMP) ## Show the main job on loopback: a new tag is pushed, an Application follows
	$(BIN)/argocd-image-updater demo

test: $(STAMP) ## Run the tests; T=path, K=pattern, M=marker
	$(BIN)/python -m pytest -n $(WORKERS) -m "$(M)" $(if $(K),-k "$(K)") $(T)

test-all: $(STAMP) ## Run the tests with the slow ones
	$(BIN)/python -m pytest -n $(WORKERS) $(if $(K),-k "$(K)") $(T)

cov: $(STAMP) ## Run the tests and show branch coverage
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-branch --cov-report=term-missing:skip-covered $(T)

lint: $(STAMP) ## Check style and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(STAMP) ## Check types
	$(BIN)/mypy

format: $(STAMP) ## Rewrite the sources in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

protos: $(STAMP) ## Write generated/ from protos/
	$(BIN)/python protos/generate.py

protos-check: $(STAMP) ## Fail when generated/ is not what protos/ gives
	$(BIN)/python protos/generate.py --check

bench: $(STAMP) ## Measure; prints its figures and the machine
	$(BIN)/python -m benchmarks

docs: $(STAMP) ## Write the reference pages in docs/ from the program
	$(BIN)/python -m docs.generate

build: $(STAMP) ## Build the wheel and the source archive in dist/
	$(BIN)/uv build --no-build-isolation --python $(BIN)/python

lock: $(STAMP) ## Pin the development environment afresh
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements/dev.txt

clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .coverage .import_linter_cache .hypothesis
