# Two commands from a fresh clone: make demo, make serve. All need Python 3.11 to 3.13 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
BROWSER := $(VENV)/.browser
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-quick test-long test-browser check lint bench deploy clean python

help:
	@echo "make demo     a guided tour: a reseller's month on the local stack"
	@echo "make serve    the local stack on http://127.0.0.1:8000, until Ctrl-C (FORFAIT_PORT, FORFAIT_STATE)"
	@echo "make test-quick    the tests that need nothing but this process: seconds"
	@echo "make test     every test but the browser's (TEST_PROFILE=ci: with all examples)"
	@echo "make test-long    property tests with ten times as many examples, and more kills: an hour"
	@echo "make test-browser    the tests that need Chromium (Debian, Ubuntu: apt install chromium)"
	@echo "make check    format, lint, types, import rules, packaging"
	@echo "make bench    speeds, printed and written to benchmarks/latest.json"
	@echo "make deploy STAGE=name    the stack on AWS"
	@echo "make clean    removes the environment and caches, not the state of the local stack (.forfait)"

demo: $(RUNTIME)
	@$(BIN)/python -m local demo

serve: $(RUNTIME)
	@$(BIN)/python -m local serve

test: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser

test-quick: $(DEV)
	$(BIN)/python -m pytest -n 2 -m pure --ignore tests/browser

test-long: $(DEV)
	TEST_PROFILE=long $(BIN)/python -m pytest -n 2 --dist loadfile -m "hypothesis or long" --ignore tests/browser

test-browser: $(BROWSER)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  echo "Browser tests need Chromium. On Debian and Ubuntu: apt install chromium" >&2; exit 1; }
	$(BIN)/python -m pytest tests/browser

check: lint
	$(BIN)/python -m pytest tests/infra/test_packaging.py

# What `make check` does beside the tests, for those who have run them.
lint: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# FULL=1 measures ten million lines too, and puts its table and its picture into docs/performance.md.
bench: $(DEV)
	@$(PIP) install -r requirements-bench.txt
	@$(BIN)/python -m benchmarks $(if $(FULL),--full)

deploy: $(DEV)
	@test -n "$(STAGE)" || { echo "say which stage: make deploy STAGE=dev" >&2; exit 2; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh infra/deploy.sh "$(STAGE)"

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are as old as the last installation, so a changed list of requirements installs again.
$(RUNTIME): requirements.txt requirements-local.txt | python
	@echo "installing what the local stack needs into $(VENV) (first time: about a minute)"
	@test -x $(BIN)/python && $(BIN)/python -c "import pip" 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install -r requirements.txt -r requirements-local.txt
	@touch $@

$(DEV): requirements.txt requirements-local.txt requirements-dev.txt | python
	@echo "installing what tests and checks need into $(VENV) (first time: some minutes)"
	@test -x $(BIN)/python && $(BIN)/python -c "import pip" 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install -r requirements-dev.txt
	@touch $@ $(RUNTIME)

$(BROWSER): requirements-browser.txt $(DEV)
	@echo "installing what browser tests need into $(VENV)"
	@$(PIP) install -r requirements-browser.txt
	@touch $@

# Nothing to look for once the environment is there.
python:
	@test -x $(BIN)/python || command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) not found: install Python 3.11, 3.12 or 3.13" >&2; exit 1; }
	@test -x $(BIN)/python || \
	  $(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" || { \
	  echo "Forfait needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not: `$(PYTHON) --version 2>&1 | head -n 1`" >&2; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -c "import venv, ensurepip" 2>/dev/null || { \
	  echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
