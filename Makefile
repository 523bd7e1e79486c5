# Roadmap Monitor. `make` alone lists the targets; each does its own set-up into .venv.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
ARGS ?=
SECONDS ?= 60
PURE := monitor/core/*,monitor/matching/*,monitor/digests/calendar.py,monitor/polling/decide.py,monitor/polling/pace.py

.DEFAULT_GOAL := help
.PHONY: help run demo test check format compose-test docs coverage mutate fuzz audit bench lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run ## Run the service: web page, schedule and workers in one process
	$(BIN)/monitor run $(ARGS)

demo: $(VENV)/.run ## Try it offline: a sample newsroom, polled, matched and digested (ARGS=--once to exit when done)
	$(BIN)/monitor demo $(ARGS)

test: $(VENV)/.dev ## Run the tests
	$(BIN)/pytest -n auto $(ARGS)

check: $(VENV)/.dev ## Format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	for program in benchmarks/page.py benchmarks/*/run.py; do $(BIN)/mypy $${program%/*}/*.py || exit 1; done
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## Build the documentation site into build/site, with its links checked
	$(BIN)/python tools/site.py

coverage: $(VENV)/.dev ## Run the tests and tell which branches none of them takes; fails below what docs/quality.md promises
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --timeout 600 $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --fail-under=100 --include=$(PURE)

mutate: $(VENV)/.audit ## Change the pure code a little and see that a test fails (ARGS="monitor.digests.calendar*" for a part)
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

fuzz: $(VENV)/.audit ## Throw mutated bytes at the parsers of feeds, queries and mail, SECONDS each
	for target in feed mail query; do $(BIN)/python fuzz/run.py $$target -max_total_time=$(SECONDS) $(ARGS) || exit 1; done

audit: $(VENV)/.audit ## Ask the package index for known vulnerabilities of what is locked (needs the network)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements/run.txt

compose-test: ## Build the containers and run the whole installation in them, with podman (needs root)
	tests/compose/run.sh

bench: $(VENV)/.bench ## Run the benchmarks beside the named peers, into build/benchmarks.md (ARGS="matching web" for some)
	$(BIN)/python benchmarks/page.py $(ARGS)

lock: $(VENV)/bin/python ## Write requirements/*.txt anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	for set in run cluster dev docs audit bench; do \
	  case $$set in run) extra=build;; cluster) extra="build --extra cluster --extra channels --extra dkim";; *) extra=$$set;; esac; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --extra $$extra --no-emit-package roadmap-monitor --output-file requirements/$$set.txt pyproject.toml || exit 1; done

clean: ## Remove what the targets made, but no data
	rm -rf $(VENV) build dist mutants .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "No Python 3.11 or newer with venv was found."; \
	  echo "Debian or Ubuntu: apt install python3 python3-venv    Fedora: dnf install python3    macOS: brew install python"; \
	  echo "Or name one: make PYTHON=/path/to/python3.12 ..."; exit 1; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/.%: requirements/%.txt pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
