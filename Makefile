# Two commands on a fresh machine: `make demo` and `make test`. Both make their own .venv; Python 3.11+ and make are all they need.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint docs benchmark sbom audit torture clean

demo: $(VENV)/.runtime
	$(VENV)/bin/p2c demo

test: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -n 2

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The pages as a site, in site/index.html; no network is needed to read it.
docs: $(VENV)/.dev
	$(VENV)/bin/python -m pipeline.manual
	$(VENV)/bin/zensical build --clean --strict

benchmark: $(VENV)/.dev
	$(VENV)/bin/python -m tests.benchmarks.plan

# What p2c is made of, as CycloneDX: p2c.cdx.json.
sbom: $(VENV)/.dev
	$(VENV)/bin/python -m tests.supply.sbom

# Are the packages the pinned ones, whole, and without known holes?
audit: $(VENV)/.dev
	$(VENV)/bin/python -m tests.supply.audit

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
	rm -rf $(VENV) build dist site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
