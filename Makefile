# make demo   trains a small GPT and films it        make test   runs the tests
# Both set everything up by themselves; nothing but Python 3.11 or later with venv and pip, and a package index, is needed.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup demo dashboard test test-slow lint bench soak clean

help:
	@sed -n '1,2s/^# //p' Makefile

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --constraint constraints.txt --editable ".[test]"
	@touch $@

demo: setup
	$(BIN)/gptlab demo

dashboard: setup
	$(BIN)/python -m dashboards

test: setup
	$(BIN)/python -m pytest -n auto -rs

test-slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: setup
	for table in $(filter-out benchmarks/storyboard.py benchmarks/soak.py, $(wildcard benchmarks/[a-z]*.py)); do $(BIN)/python $$table || exit 1; done

soak: setup
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf .venv build *.egg-info
