# Everything here works on a bare checkout with Python 3.11 or newer: what a target needs is installed into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# The locks are complete: pip is asked to resolve nothing, since it would refuse a lock in which a newer release satisfies a requirement
# with an extra. `pip check` then says whether anything is missing, or left from other locks.
LOCKED := install --no-deps --require-hashes
CHECKED = @found=$$($(1) -m pip --disable-pip-version-check check) || { echo "$$found"; echo "what is installed does not fit together; try make clean"; exit 1; }
CLEAN := build/clean/bin/python
# A folder of its own for the advisories of audit: nothing imports from it.
AUDIT := build/audit
PAGES := $(wildcard docs/*.md docs/*/*.md)

.DEFAULT_GOAL := help
.PHONY: help demo test check fuzz lint fix docs bench golden package audit services lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-9s %s\n", $$1, $$2 }'

demo: $(VENV)/.runtime ## simulate an account with an attack in it, and find the attack
	@rm -rf build/demo
	@$(BIN)/vedette simulate company-day tor-caller malicious-caller custom-caller connect-scan probed-ssh stolen-key --days 16 --out build/demo
	@$(BIN)/vedette scan build/demo/AWSLogs --format table --store build/demo/vedette.db \
		--tor-list build/demo/lists/tor.txt --threat-list build/demo/lists/malicious.txt --custom-list build/demo/lists/custom.txt \
		--scanner-list build/demo/lists/scanner.txt --inventory build/demo/inventory

test: $(VENV)/.dev services ## run the tests
	$(BIN)/pytest -n auto --dist loadgroup

check: lint docs package audit test ## all that must hold before a change is merged

fuzz: $(VENV)/.dev ## feed a million damaged inputs to all that reads (INPUTS=10000 for fewer)
	$(BIN)/python tests/support/fuzzing.py --inputs $(or $(INPUTS),1000000)

lint: $(VENV)/.dev ## check style, types, import contracts and generated pages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cog --check $(PAGES)

fix: $(VENV)/.dev ## repair style, and write generated pages anew
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/cog -r $(PAGES)

docs: $(VENV)/.docs ## build the documentation into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.bench ## measure against the limit and against peers
	$(BIN)/python -m bench

golden: $(VENV)/.dev ## write the expected documents anew, after a change that was meant
	$(BIN)/pytest --update-golden

package: $(VENV)/.dev ## build the wheel, and try it and the locks in an empty environment with the oldest pip
	@rm -rf build/wheel build/clean && mkdir -p build
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(PYTHON) -m venv build/clean
	$(CLEAN) -m pip -qq --disable-pip-version-check $(LOCKED) -r requirements/oldest-pip.txt
	$(CLEAN) -m pip -qq --disable-pip-version-check $(LOCKED) -r requirements/runtime.txt
	$(CLEAN) -m pip -qq --disable-pip-version-check install --no-deps --no-index build/wheel/*.whl
	$(call CHECKED,$(CLEAN))
	build/clean/bin/vedette --help > build/help.txt
	$(CLEAN) -c "import vedette, importlib.resources as r; assert (r.files('vedette') / 'py.typed').is_file()"
	$(CLEAN) -m pip -qq inspect > build/installed.json
	$(CLEAN) -m pip -qq --disable-pip-version-check $(LOCKED) --dry-run --report build/locked.json \
		$(foreach lock,dev docs bench,-r requirements/$(lock).txt)
	$(BIN)/python requirements/lock.py --complete build/installed.json build/locked.json

audit: $(VENV)/.dev ## check the locks offline: advisories, hashes, licences (ADVISORIES=FILE for other advisories, none for none)
	$(call CHECKED,$(BIN)/python)
	@rm -rf $(AUDIT)
	@test -n "$(ADVISORIES)" || $(PIP) --retries 1 install --no-deps --require-hashes --only-binary :all: --target $(AUDIT) \
		-r requirements/audit.txt || echo "audit: safety-db cannot be installed here"
	@$(BIN)/python -m requirements.audit $(if $(filter-out none,$(ADVISORIES)),--advisories $(ADVISORIES),--safety-db $(AUDIT))

services: ## install the services that tests use, where that is possible
	@.ci/services

lock: $(VENV)/.dev ## write the locked requirements anew (LOCK=--upgrade for newer releases)
	$(BIN)/python requirements/lock.py $(LOCK)

clean: ## remove what the targets made
	rm -rf build $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$$($(PYTHON) --version) is too old: vedette needs Python 3.11 or newer; set PYTHON=python3.12, for example"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stamps: what is installed is installed again only when its list changed.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(PIP) $(LOCKED) -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(PIP) $(LOCKED) -r requirements/dev.txt
	$(call CHECKED,$(BIN)/python)
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.dev
	$(PIP) $(LOCKED) -r requirements/docs.txt
	$(call CHECKED,$(BIN)/python)
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	$(PIP) $(LOCKED) -r requirements/bench.txt
	$(call CHECKED,$(BIN)/python)
	@touch $@
