# make demo   trains a small GPT and films it        make test   runs the tests
# Both set everything up by themselves; nothing but Python 3.11 or later with venv and pip, and a package index, is needed.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

INSTALL := $(PIP) install --quiet --constraint constraints.txt --editable
# To compile all modules takes longer than the rest of the installation: for the demo, only those that it imports are compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-test demo dashboard test test-slow lint bench soak clean

help:
	@sed -n '1,2s/^# //p' Makefile

setup: .venv/ready
setup-test: .venv/ready-for-tests

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) . --no-compile
	@touch $@

.venv/ready-for-tests: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) ".[test]"
	@touch .venv/ready $@

demo: setup
	$(BIN)/gptlab demo

dashboard: setup
	$(BIN)/python -m dashboards

test: setup-test
	$(BIN)/python -m pytest -n auto -rs

test-slow: setup-test
	$(BIN)/python -m pytest -m slow

lint: setup-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: setup-test
	for table in $(filter-out benchmarks/storyboard.py benchmarks/soak.py, $(wildcard benchmarks/[a-z]*.py)); do $(BIN)/python $$table || exit 1; done

soak: setup-test
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf .venv build *.egg-info
