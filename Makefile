# Two commands: `make run` and `make test`. Everything else is `rafiq …` in .venv/bin.

SHELL := /bin/bash
VENV := .venv
PYTHON310 := $(firstword $(foreach p,$(shell command -v python3.10 2>/dev/null) $(wildcard $(HOME)/.pyenv/versions/3.10.*/bin/python3.10),$(if $(shell $(p) -c 'print(1)' 2>/dev/null),$(p))))

.PHONY: run test lint env clean

run: env
	exec $(VENV)/bin/rafiq run

test: env
	@# Trained once, before two processes would do it at the same time.
	$(VENV)/bin/rafiq train > /dev/null
	$(VENV)/bin/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

lint: env
	$(VENV)/bin/ruff format --check bot actions tests --quiet
	$(VENV)/bin/ruff check bot actions tests
	$(VENV)/bin/mypy bot actions
	$(VENV)/bin/lint-imports

env: $(VENV)/.ready

# The lock file decides: when it changes, the environment follows.
$(VENV)/.ready: requirements.lock pyproject.toml
	@command -v uv >/dev/null 2>&1 || python3 -m pip install --quiet --user uv || python3 -m pip install --quiet --user --break-system-packages uv
	@export PATH="$$PATH:$$(python3 -m site --user-base)/bin"; \
	echo "Preparing the environment (a few minutes the first time)…" >&2; \
	uv venv --quiet --allow-existing --python "$(or $(PYTHON310),3.10)" $(VENV) && \
	uv pip sync --quiet --python $(VENV)/bin/python --require-hashes requirements.lock && \
	uv pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) models var
