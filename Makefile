# `make app` opens the app and `make test` checks everything; both first set up what they need, and only once.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The first of these that is 3.11 or newer; or name one: make app PYTHON=/path/to/python3.12
PYTHON ?= $(firstword $(foreach p,python3 python3.11 python3.12 python3.13 python3.14 python,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
TORCH := $(shell sed -n 's/^ *"torch==\([0-9.]*\)".*/\1/p' pyproject.toml)
# Where pip shall look for torch, e.g. an index of CPU builds; empty: wherever pip is set up to look.
TORCH_INDEX ?=
JOBS ?= 2
ARGS ?=
# Tests that run side by side take one thread each.
TEST_ENV := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: help app test coverage check chromium lock clean

help:
	@echo "make app     set up what is missing, then open the app (ARGS='--help' shows its options)"
	@echo "make test    set up what is missing, then style, types, import contract and all tests, those in a browser included"
	@echo "make coverage the same tests, and which branches of mrp_core they reach"
	@echo "make check   style, types and import contract only"
	@echo "make lock    pin the dependencies anew"
	@echo "make clean   remove the virtual environment and all caches"

app: $(VENV)/app.stamp
	$(BIN)/mrp app $(ARGS)

test: chromium check
	$(TEST_ENV) $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

# Measuring branches nearly doubles the time of the tests, so it is a command of its own.
coverage: chromium check
	$(TEST_ENV) $(BIN)/python -m pytest -n $(JOBS) --cov $(ARGS)

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --config pyproject.toml

$(VENV)/pip.stamp:
	@if [ -z '$(PYTHON)' ]; then echo 'No Python 3.11 or newer was found: install one, or name it with PYTHON=/path/to/python3.11.' >&2; exit 1; fi
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@touch $@

# torch stands outside the lock, because its builds (CPU, CUDA, macOS) differ in what they need. pyproject.toml fixes
# the version, and pip takes the build that it is set up to find.
$(VENV)/torch-$(TORCH).stamp: $(VENV)/pip.stamp
	$(PIP) $(if $(TORCH_INDEX),--index-url '$(TORCH_INDEX)') 'torch==$(TORCH)'
	@touch $@

# The lock's first part is what the app needs; the tests' tools follow a marker line.
$(VENV)/app.stamp: $(VENV)/torch-$(TORCH).stamp requirements.lock pyproject.toml
	@sed '/^# tests only/,$$d' requirements.lock > $(VENV)/app.lock
	$(PIP) --require-hashes --no-deps -r $(VENV)/app.lock
	PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/app.stamp
	$(PIP) --require-hashes --no-deps -r requirements.lock
	@touch $@

chromium:
	@for name in chromium chromium-browser google-chrome; do if command -v $$name >/dev/null; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ]; then as=''; else as='sudo -n'; fi; \
	if ! command -v apt-get >/dev/null || ! $$as true 2>/dev/null; then \
	  echo 'The browser tests need Chromium, and this account may not install it: install the package chromium, then run make test again.' >&2; exit 1; fi; \
	$$as apt-get update -qq; \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium chromium-driver >/dev/null

# Pins for every platform and Python; .ci/lock.py leaves torch and its CUDA companions out (see above).
COMPILE = $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml $(LOCK_ARGS)
lock: $(VENV)/pip.stamp
	$(BIN)/python -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) > $(VENV)/lock/app.txt
	$(COMPILE) --extra test --constraint $(VENV)/lock/app.txt > $(VENV)/lock/tests.txt
	$(BIN)/python .ci/lock.py $(VENV)/lock/app.txt $(VENV)/lock/tests.txt > $(VENV)/lock/requirements.lock
	mv $(VENV)/lock/requirements.lock requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .hypothesis .ruff_cache .import_linter_cache .coverage* build *.egg-info
