# Every command that a contributor needs; `make help` lists them. Works with GNU make 3.81.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-agents test-web web web-check coverage check types settings machines cli shim docs bench bench-growth bench-peers profile hostile power chaos mutants lock clean

RUNTIME := .venv
DEV := .venv-dev
DOCS := .venv-docs
WEB := .venv-web
CURVES := .venv-curves
PROFILE := .venv-profile
COVERAGE := build/coverage
DEV_PYTHON := $(DEV)/bin/python
TYPES := clients/typescript/types.ts
SETTINGS := docs/settings.md
REFUSALS := docs/api.md
MACHINES := docs/machines.md
CLI := docs/cli.md
MANUAL := data/share/man/man1/anyon.1
SHIM := anyond/shim/README.md
# One test more at a time than there are cores, since tests wait for others (and no more than 8: each
# worker collects them all). BESIDE= runs them one after the other, as a debugger wants them.
WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
    if [ "$$cores" -lt 7 ]; then echo $$((cores + 1)); else echo 8; fi)
BESIDE = -n $(WORKERS) --dist worksteal
FAST_WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
    if [ "$$cores" -lt 8 ]; then echo $$cores; else echo 8; fi)
# Those that are fast wait for nobody: a worker more would be one collection more. A test that is
# shown at the end takes too long for them: make it quicker, or mark it as `thorough`.
FAST = $(if $(BESIDE),-n $(FAST_WORKERS) --dist worksteal) --durations=5 --durations-min=2
# Which versions of the agents are tried: NEWEST=1 adds those that npm serves, NEWEST=only is them alone.
NEWEST :=
AGENTS := $(if $(filter only,$(NEWEST)),newest,pinned $(if $(NEWEST),newest))

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile
	@echo "PYTHON=/path/to/python chooses the interpreter; ARGS=... is handed to pytest, the benchmarks or the campaign."

demo: ## Watch a task go from an idea to a merged change (no network, no keys)
	@sh requirements/venv.sh $(RUNTIME) runtime
	@$(RUNTIME)/bin/anyon demo

test: ## Run all tests that need nothing from outside
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m pytest -m "not agents and not web" $(BESIDE) $(ARGS)

test-fast: ## Run what needs no daemon, no git and no processes: 20 seconds on two cores
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m pytest -m "not agents and not web and not thorough" $(FAST) tests/machines tests/logs tests/model \
	    tests/agents tests/services tests/store tests/settings tests/host tests/editing $(ARGS)

test-agents: ## Run the tests that drive real agents from npm (NEWEST=1: then their newest versions)
	@if sh requirements/node.sh; then \
	  sh requirements/venv.sh $(DEV) dev || exit 1; \
	  for versions in $(AGENTS); do \
	    echo "Real agents, $$versions versions:"; \
	    ANYON_TEST_AGENTS=$$versions $(DEV_PYTHON) -m tests.support.real_agents.npm_cache || exit 1; \
	    ANYON_TEST_AGENTS=$$versions $(DEV_PYTHON) -m pytest -m agents $(BESIDE) $(ARGS); code=$$?; \
	    if [ $$code -eq 5 ]; then echo "No test is marked as one of real agents."; exit 0; fi; \
	    if [ $$code -ne 0 ]; then echo "Real agents, $$versions versions: some tests failed."; exit $$code; fi; \
	  done; \
	fi

test-web: ## Drive the board in a browser (needs Chromium; without it, says so and leaves them out)
	@if chromium=$$(sh requirements/chromium.sh); then \
	    sh requirements/venv.sh $(WEB) web && \
	    CHROMIUM="$$chromium" $(WEB)/bin/python -m pytest -m web tests/web $(ARGS); \
	fi

web: ## Build the board from web/ into the package (needs Node)
	@sh requirements/venv.sh $(DEV) dev
	@sh requirements/web.sh "The build of the board"
	@cd web && npm run --silent build
	@$(DEV_PYTHON) -m tools.board --built

web-check: ## Check the board: types, its core, and that the built files are those of web/ (without Node: by a hash)
	@sh requirements/venv.sh $(DEV) dev
	@if sh requirements/web.sh "All of web-check but the hash"; then \
	    cd web && npm run --silent check && npm test --silent && \
	    npm run --silent build -- --outDir "$(CURDIR)/build/board" --logLevel warn && \
	    cd .. && $(DEV_PYTHON) -m tools.board --build build/board; \
	else $(DEV_PYTHON) -m tools.board; fi

coverage: ## Run all tests and print which branches of which files they take; less than 92 % fails
	@sh requirements/venv.sh $(DEV) dev
	@rm -rf $(COVERAGE) && mkdir -p $(COVERAGE)
	@export COVERAGE_FILE=$(CURDIR)/$(COVERAGE)/data; \
	$(DEV_PYTHON) -m coverage run --source "$(CURDIR)/anyond" -m pytest -m "not agents and not web" $(BESIDE) $(ARGS); code=$$?; \
	$(DEV_PYTHON) -m coverage combine --quiet && $(DEV_PYTHON) -m coverage report && exit $$code

check: ## Check format, style, types, import floors, words, dead code, and what is made from declarations
	@sh requirements/venv.sh $(DEV) dev
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports
	$(DEV_PYTHON) -m tools.words
	$(DEV_PYTHON) -m tools.dead_code
	$(DEV_PYTHON) -m tools.first_lines
	$(DEV_PYTHON) -m tools.board
	$(DEV_PYTHON) -m anyond.http.openapi.typescript --check $(TYPES)
	$(DEV_PYTHON) -m anyond.settings.reference --check $(SETTINGS)
	$(DEV_PYTHON) -m anyond.http.openapi.refusals --check $(REFUSALS)
	$(DEV_PYTHON) -m anyond.machines.document --check $(MACHINES)
	$(DEV_PYTHON) -m anyond.cli.reference --check $(CLI)
	$(DEV_PYTHON) -m anyond.cli.manual --check $(MANUAL)
	$(DEV_PYTHON) -m anyond.procs.shims.reference --check $(SHIM)

types: ## Write the types for TypeScript and the table of refusals anew from those of the API
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m anyond.http.openapi.typescript $(TYPES)
	@$(DEV_PYTHON) -m anyond.http.openapi.refusals $(REFUSALS)

settings: ## Write the page of all settings anew from their declarations
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m anyond.settings.reference $(SETTINGS)

machines: ## Draw the state machines anew from their tables
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m anyond.machines.document $(MACHINES)

cli: ## Write the page of all commands and the manual page anew from their declarations
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m anyond.cli.reference $(CLI)
	@$(DEV_PYTHON) -m anyond.cli.manual $(MANUAL)

shim: ## Write the tables of the shim's README anew from its declarations
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m anyond.procs.shims.reference $(SHIM)

docs: ## Build the documentation as a site in build/site; a link that leads nowhere fails it
	@sh requirements/venv.sh $(DOCS) docs
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

bench: ## Run the benchmarks (ARGS="--rows output,latency" for some of them)
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m benchmarks $(ARGS)

bench-growth: ## Measure how costs grow, and draw it into docs/speed (ARGS="--curves tasks --tasks 10,1000" for a part)
	@sh requirements/venv.sh $(DEV) dev
	@sh requirements/venv.sh $(CURVES) curves
	@$(DEV_PYTHON) -m benchmarks.growth $(ARGS); code=$$?; \
	$(CURVES)/bin/python -m benchmarks.growth.drawing && exit $$code

bench-peers: ## Measure any daemon that speaks the API of vibe-kanban 0.0.116 (ARGS="--url ... --help" tells more)
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m benchmarks.peers $(ARGS)

profile: ## Draw where the time of a row of make bench goes, into build/profile (WHAT=listing)
	@sh requirements/venv.sh $(DEV) dev
	@sh requirements/venv.sh $(PROFILE) profile
	@$(DEV_PYTHON) -m benchmarks --short --rows $(WHAT) --profile $(PROFILE)/bin/py-spy $(ARGS)

hostile: ## Send 100,000 malformed and hostile requests to a daemon (ARGS=--short for a few)
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m campaigns.hostile $(ARGS)

chaos: ## Kill daemons, shims, agents and git 1,000 times (ARGS=--short for three minutes)
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m campaigns.chaos $(ARGS)

power: ## Cut the power of a daemon at work, again and again (ARGS=--short for a few times; needs root and FUSE)
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m campaigns.power $(ARGS)

mutants: ## Put small faults into the code, and look which ones no test notices (ARGS="--only machines")
	@sh requirements/venv.sh $(DEV) dev
	@$(DEV_PYTHON) -m tools.mutants $(ARGS)

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	@sh requirements/lock.sh

clean: ## Remove everything that the other commands have made
	rm -rf $(RUNTIME) $(DEV) $(DEV)-3.* $(DOCS) $(WEB) web/node_modules $(CURVES) $(PROFILE) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
