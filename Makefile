# make demo and make test need nothing but python3 (3.11 or newer) with venv, make and git.

PY ?= python3
TIMES ?= 10
WORKERS ?= auto
UV ?= uv
VENV := .venv
PYTHONS = $(shell for minor in 11 12 13 14; do command -v python3.$$minor; done; \
	ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.1[1-4].*/bin/python 2>/dev/null)
BIN := $(VENV)/bin
# A process for each processor, but no more than four: each has to import all tests first.
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --maxprocesses 4 --dist worksteal
PIP = $(BIN)/python -m pip --disable-pip-version-check install -q
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

.PHONY: demo test test-fast test-all chaos coverage check lint types stubs docs bench pictures engines \
	orchestrators lock clean

demo: $(VENV)/.demo
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev
	@$(PYTEST) -m "not type_checkers"

# For the inner loop: what is pure, without what hypothesis searches for.
test-fast: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -m "not hypothesis" tests/unit

# The tests with every interpreter that is there: on the PATH, and pyenv's versions.
test-all:
	@seen=" "; for python in $(PYTHONS); do \
		version=$$("$$python" -c 'import platform as p; print(p.python_version())' 2>&-) || continue; \
		case "$$seen" in *" $$version "*) continue ;; esac; \
		seen="$$seen$$version "; echo "Python $$version"; \
		$(MAKE) test PY="$$python" VENV=".venv-$$version" || exit 1; \
	done

# The tests that draw their cases, with TIMES as many as `make test` draws.
chaos: $(VENV)/.dev
	@CHAOS=$(TIMES) $(PYTEST) -m "chaos or hypothesis" -o timeout=3600

# The tests, and whether they reach what they reached before (pyproject.toml says how much).
coverage: $(VENV)/.dev
	@$(BIN)/python -m coverage run -m pytest -q
	@$(BIN)/python -m coverage report

check: lint types test orchestrators

lint: $(VENV)/.dev
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .

# Also what checkers say of the programs that use the packages. They need what they check, so the
# engines are installed too: dlt, and Spark with its 400 MB.
types: $(VENV)/.engines
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/python -m pytest -q -m type_checkers tests/typing tests/meta

# What checkers and editors are told of names that are made at run time; a test compares.
stubs: $(VENV)/.dev
	@$(BIN)/python -m tools.stubs

# The examples of README and docs, which are a part of the tests.
docs: $(VENV)/.dev
	@$(BIN)/python -m pytest -q tests/docs

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.imports
	@$(BIN)/python -m benchmarks.call
	@$(BIN)/python -m benchmarks.pages
	@$(BIN)/python -m benchmarks.latency
	@$(BIN)/python -m benchmarks.sinks
	@$(BIN)/python -m benchmarks.peers
	@$(BIN)/python -m benchmarks.writes

# dlt and Spark, whose tests are left out without them; Spark's also need a Java.
engines: $(VENV)/.engines

# The programs for Dagster, Airflow and Prefect, in an environment of their own: they don't go with
# what the other tests take, and bring 700 MB.
orchestrators: $(VENV)/.dev $(VENV)-orchestrators/.installed
	$(BIN)/basedpyright -p examples/orchestrators --pythonpath $(VENV)-orchestrators/bin/python
	@ORCHESTRATORS=1 $(VENV)-orchestrators/bin/python -m pytest -q tests/orchestrators \
		--ignore=tests/orchestrators/test_jobs.py

# What is drawn from the code; the tests hold that it is as the code is.
pictures: $(VENV)/.dev
	@$(BIN)/python -m tools.architecture

lock:
	$(COMPILE) -o requirements/build.lock requirements/build.in
	$(COMPILE) --extra cli --extra keyring --extra sandbox --extra parquet --extra zstd \
		--extra xlsx --extra duckdb --extra otel --group test -o requirements/dev.lock \
		pyproject.toml requirements/build.in
	$(COMPILE) --extra cli --extra sandbox -c requirements/dev.lock -o requirements/demo.lock \
		pyproject.toml requirements/build.in
	for engine in dlt spark; do \
		$(COMPILE) --extra $$engine -c requirements/dev.lock -o requirements/$$engine.lock \
			pyproject.toml requirements/build.in || exit 1; \
	done
	$(COMPILE) --extra cli --extra sandbox --extra parquet --extra redis \
		-o requirements/orchestrators.lock pyproject.toml requirements/orchestrators.in \
		requirements/build.in

clean:
	rm -rf $(VENV) .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "jibble-async needs Python 3.11 or newer: name one, as in make PY=python3.12" >&2; exit 1; }
	@$(PY) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "python3 has no venv module: on Debian, apt install python3-venv" >&2; exit 1; }

# Building from source happens with the pinned tools too, hence no build isolation.
$(VENV)/.demo: requirements/build.lock requirements/demo.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/build.lock
	@$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements/demo.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.demo
	@echo "installing what the tests need ..."
	@$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements/dev.lock
	@touch $@

$(VENV)/.engines: requirements/dlt.lock requirements/spark.lock $(VENV)/.dev
	@echo "installing dlt and Spark ..."
	@$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements/dlt.lock
	@$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements/spark.lock
	@touch $@

$(VENV)-orchestrators/.installed: private BIN := $(VENV)-orchestrators/bin
$(VENV)-orchestrators/.installed: requirements/build.lock requirements/orchestrators.lock \
		pyproject.toml | $(BIN)/python
	@echo "installing Dagster, Airflow and Prefect into $(VENV)-orchestrators ..."
	@$(VENV)/bin/python -m venv $(VENV)-orchestrators
	@$(PIP) --require-hashes -r requirements/build.lock
	@$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements/orchestrators.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
