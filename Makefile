# Everything a newcomer types. Each target sets up .venv first if that has not been done.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-attack test-ray lint format docs bench clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(READY) ## Make .venv and install the project into it, with the tools for development

# torch comes first and by its pinned version, so that nothing pulls in another build of it.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or later is needed; set PYTHON=..."'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' constraints.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

run: $(READY) ## Reproduce the PE LS RN column of the paper: 20 tasks, ten restarts each, then the table
	$(BIN)/babi-reproduce table=memn2n_1k 'columns=[pe_ls_rn]'

# Each process begins with tests that lie together, whose fixtures it then makes alone, and takes from others at the end.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

test: $(READY) ## Run the tests
	$(PYTEST)

test-slow: $(READY) ## Run the tests of whole commands, and those that need the official data (BABI_DATA)
	$(PYTEST) -m 'integration and not attack' --durations 25
	$(PYTEST) tests/data tests/worlds

test-attack: $(READY) ## Run all cases of tests/attack: bad values, damaged files, signals, full disks
	$(PYTEST) -m 'attack or not attack' tests/attack
	$(PYTEST) -m attack tests/integration tests/models

# The plugin of Ray wants a cloudpickle that the one of joblib cannot work with.
test-ray: ## Run the tests of the Ray launcher, in .venv-ray
	test -x .venv-ray/bin/python || $(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' constraints.txt)
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[ray,test]'
	.venv-ray/bin/python -m pytest -m integration tests/integration/test_launchers.py tests/integration/test_reproduce.py -k ray

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## Put the code into the common style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Without the advertisement that its theme prints.
docs: $(READY) ## Build the site of the documentation: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(READY) ## Measure training speed against a plain port, how it grows, and what kernels save and cost
	$(BIN)/python benchmarks/training_speed.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/heads_speed.py
	$(BIN)/python benchmarks/fixed_order.py

clean: ## Remove caches and builds; run directories and .venv stay
	rm -rf build dist site .pytest_cache .ruff_cache .mypy_cache .hypothesis .benchmarks
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
