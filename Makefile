# The only front door: every target does its own set-up from a bare machine with Python 3.11, 3.12 or 3.13, make and git.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first interpreter that starts and has a supported version; `make PYTHON=/path/to/python3.12 run` overrides the search.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.PHONY: run test lab check format bench docs clean help

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

run: $(STAMP) ## the main job: run the notebook pack, decide readiness, write the report
	@$(BIN)/thunderlab run $(ARGS)

lab: $(STAMP) ## open JupyterLab on the notebooks
	@$(BIN)/thunderlab lab $(ARGS)

test: check ## everything CI runs
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(STAMP) ## format, lint, types, floors, generated tables
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python tests/clean_notebooks.py --check
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_house.py tests/test_docs.py

format: $(STAMP) ## rewrite the sources in the house style, strip notebook outputs
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/python tests/clean_notebooks.py

docs: $(STAMP) ## regenerate the generated tables in README, ARCHITECTURE and the event catalogue snapshot
	@$(BIN)/python tests/docs_tables.py --write

bench: $(STAMP) ## the side-by-side table: claim, rival, ratio
	@if test -x $(BIN)/uv; then VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --constraint constraints.txt --editable '.[test,bench]'; \
	else PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'; fi \
		|| echo "some rivals cannot be had here: the table lists them as absent" >&2
	@$(BIN)/python -m tests.benchmarks $(ARGS)

clean: ## remove everything the other targets made (never a workspace: delete .thunderlab yourself)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in seconds where pip takes minutes; pip does the same job when uv cannot be had.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found: install one, or run make PYTHON=/path/to/python" >&2; exit 3; }
	@echo "Setting up $(VENV) with $(PYTHON) (first time: a minute or two) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "error: $(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 3; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv || echo "uv cannot be had here: installing with pip" >&2
	@if test -x $(BIN)/uv; then \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --constraint constraints.txt --build-constraint constraints.txt --editable '.[test]'; \
	else \
		PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'; \
	fi
	@touch $(STAMP)
