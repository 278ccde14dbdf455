# Two commands on a fresh machine: `make demo` and `make test`. Both make their own .venv; Python 3.11+ and make are all they need.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint benchmark torture clean

demo: $(VENV)/.runtime
	$(VENV)/bin/p2c demo

test: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -n 2

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

benchmark: $(VENV)/.dev
	$(VENV)/bin/python -m tests.benchmarks.plan

torture: $(VENV)/.dev
	$(VENV)/bin/python -m tests.torture $(TORTURE)

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e ".[sandbox]"
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
