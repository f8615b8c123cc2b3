# Every command of this project. Needs Python 3.11 or later and make; what else a target needs, it installs into .venv
# (Python packages, at the versions of constraints.txt) or, for `make test` and `make bench`, with apt-get (servers).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Overridable: make test PYTHON=/opt/python3.12/bin/python3
# Tried by running them: pyenv leaves commands on PATH that only say "not found".
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python3.14; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$name && break; done)
# make test TESTS="tests/types -k decimal"; make bench ROUNDS=1 ROWS=100000 ONLY=postgresql
TESTS ?=
ROUNDS ?= 5
ROWS ?= 1000000
ONLY ?=
# make lab ARGS="--no-browser --port 8899": whatever `jupyter lab` takes.
ARGS ?=
# In containers one is root, which Jupyter refuses unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# Test processes side by side, each with servers of its own; a file's tests stay in one of them.
WORKERS ?= 2

# Containers set it, where it hits a checkout alone: each process would compile our sources anew (0.2 s of a core's start),
# while installed packages, ours at its users too, were compiled by pip.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SERVERS := initdb=postgresql psql=postgresql-client mariadbd=mariadb-server mariadb=mariadb-client
KEYRING := gnome-keyring-daemon=gnome-keyring dbus-run-session=dbus
BROWSER := chromium=chromium

.PHONY: help demo lab check test test-system soak bench constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/demo ## the quickstart notebook on the built-in sample, its tables printed here
	@TUSK_HOME=$(CURDIR)/.demo $(BIN)/python examples/run_demo.py

lab: .venv/demo .venv/frontend ## the same notebook in JupyterLab; make lab ARGS="--no-browser --port 8899"
	TUSK_HOME=$(CURDIR)/.demo $(BIN)/jupyter lab $(AS_ROOT) examples/quickstart.ipynb --LabApp.default_url=/lab/tree/quickstart.ipynb $(ARGS)

check: .venv/test .venv/node_modules ## format, lint, strict types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(JLPM) check

# A private TUSK_HOME, so that no test can reach the state of whoever runs it; short, for the Unix sockets below it.
IN_PRIVATE_HOME = home=$$(mktemp -d /tmp/tusk-test-XXXXXX); trap 'rm -rf "$$home"' EXIT; TUSK_HOME="$$home"

test: .venv/test .venv/frontend test-system ## all tests, on real servers that they start and end themselves
	$(IN_PRIVATE_HOME) $(BIN)/python -m pytest -m "not soak" -n $(WORKERS) --dist loadfile --durations=15 $(TESTS)

soak: .venv/test test-system ## the long forms: load, kills, leaks
	$(IN_PRIVATE_HOME) $(BIN)/python -m pytest -m soak --timeout=3600 --durations=15 $(TESTS)

test-system:
	@.ci/apt-install $(SERVERS) $(KEYRING) $(BROWSER)

bench: .venv/bench .venv/frontend ## against JupySQL, pandas, ConnectorX and the servers' own floor; writes benchmarks/RESULTS.md
	@.ci/apt-install $(SERVERS) $(BROWSER)
	$(BIN)/python -m benchmarks --rounds $(ROUNDS) --rows $(ROWS) $(addprefix --only ,$(ONLY))

constraints: ## renew constraints.txt: the newest versions that pyproject.toml allows
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; pip="$$folder/bin/python -m pip --quiet"; \
	 $(PYTHON) -m venv "$$folder"; \
	 $$pip install --upgrade pip; \
	 SKIP_JUPYTER_BUILDER=1 $$pip install --editable '.[all]' $(addprefix --group ,check test bench demo frontend node); \
	 { echo "# What CI and the tests run with, besides pyproject.toml; renewed by make constraints."; \
	   $$pip freeze --all --exclude-editable --exclude setuptools; } > constraints.txt.new; \
	 mv constraints.txt.new constraints.txt

clean: ## remove all that these commands made
	rm -rf widgets/labextension/{node_modules,lib} widgets/tusk_widgets/{labextension,static}
	rm -rf .venv .demo dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .test-services
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- .venv: one stamp file for each set of packages; renewed when the list of packages changes -------------------------

.venv/pip: constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later found: install one, or name it with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	   || .ci/apt-install "no-ensurepip=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --constraint constraints.txt --upgrade pip # `--group` came with pip 25.1
	@touch $@

.venv/demo .venv/test .venv/bench: .venv/%: .venv/pip pyproject.toml constraints.txt
	@echo "Installing into .venv: packages for $*"
	@if [ -L $(LABEXTENSION) ]; then rm $(LABEXTENSION); fi # pip would reach through the link and delete the build
	@SKIP_JUPYTER_BUILDER=1 $(PIP) install --constraint constraints.txt --editable '.[all]' $(addprefix --group ,$(GROUPS_$*))
	@mkdir -p $(dir $(LABEXTENSION)) && rm -rf $(LABEXTENSION) && ln -s $(CURDIR)/widgets/tusk_widgets/labextension $(LABEXTENSION)
	@touch $@

GROUPS_demo := demo
GROUPS_test := check test
GROUPS_bench := bench test

# --- the front end: built by Node.js from widgets/labextension, into the two folders of widgets/tusk_widgets ------------

FRONTEND := widgets/labextension
LABEXTENSION := .venv/share/jupyter/labextensions/tusk-jupyter
JLPM = cd $(FRONTEND) && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm
NODE_IS_THERE = node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
  process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null

# Debian's own Node.js may be older than what the bundler asks for, so the one of the package index stands in.
.venv/node_modules: .venv/pip pyproject.toml $(FRONTEND)/package.json $(FRONTEND)/yarn.lock
	@$(PIP) install --constraint constraints.txt --group frontend
	@$(NODE_IS_THERE) || $(PIP) install --constraint constraints.txt --group node
	@$(JLPM) install --immutable >$(CURDIR)/.venv/jlpm.log || { cat $(CURDIR)/.venv/jlpm.log >&2; exit 1; }
	@touch $@

.venv/frontend: .venv/node_modules $(wildcard $(FRONTEND)/*.*) $(shell find $(addprefix $(FRONTEND)/,src style schema) -type f)
	@echo "Building the front end"
	@$(JLPM) build >$(CURDIR)/.venv/frontend.log 2>&1 || { cat $(CURDIR)/.venv/frontend.log >&2; exit 1; }
	@touch $@
