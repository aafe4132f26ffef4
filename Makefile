PORT ?= 8000
DEMO_DIR ?= .demo
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test

demo: .venv/installed
	$(BIN)/python manage.py demo --port $(PORT) --dir $(DEMO_DIR)

test: export DJANGO_SETTINGS_MODULE = settings.test
test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@
