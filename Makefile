# make run   the whole job on sample mail, no server needed
# make test  all tests (live ones start real servers; .ci/run installs them)
# make lint  ruff and mypy

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := .venv-bench/bin
LOCK := checker/deploy/requirements.lock

.PHONY: venv run test lint bench clean
.DEFAULT_GOAL := test

# The lock is renewed with: pip-compile --strip-extras --extra test --extra postgresql --extra dkim -o $(LOCK) pyproject.toml
$(STAMP): pyproject.toml $(LOCK)
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11 or give PYTHON=..."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) --editable '.[test,postgresql,dkim]'
	touch $(STAMP)

venv: $(STAMP)

run: $(STAMP)
	$(BIN)/python -m checker.demo

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# An environment of its own: what the peers want is not what the lock holds.
bench:
	test -x $(BENCH)/python || $(PYTHON) -m venv .venv-bench
	$(BENCH)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@for file in tests/bench/*.py; do echo "== $$file"; $(BENCH)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) .venv-bench build dist *.egg-info var
