# Two commands do everything, set-up included: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
STAMP_ALL := $(VENV)/.ready-all
PACKAGES := sluicegate flows pipelines reports scanners indexes corpora

.PHONY: setup demo test test-all check format clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sluicegate needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

demo: setup
	$(BIN)/sluicegate demo --out sluicegate-demo

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A process for each core, each with whole files of tests: they share what a file sets up.
test: check
	$(BIN)/pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist loadfile

# What takes longer, and what needs torch or Ray: the demo from end to end, real transformers.
test-all: $(STAMP_ALL)
	$(BIN)/pytest -m slow

$(STAMP_ALL): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,ray,transformers]' \
		|| { echo "If the CPU build of torch was not found: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test-all"; exit 1; }
	@touch $(STAMP_ALL)

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) sluicegate-demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
