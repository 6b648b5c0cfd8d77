# The project's verbs. Everything they install lands in .venv and the node_modules of tests/node, bench and examples,
# but for the Debian packages that the tests and the load harness drive.
PORT ?= 8000
TRIALS ?= 100
ROUNDS ?= 5
DOCUMENT ?= 1k
BURST ?= 2
PROVIDER_TRIALS ?= 10
HISTORIES ?= 500
BOUND ?= 560
PIP = .venv/bin/python -m pip --quiet --disable-pip-version-check --no-input
LOCK = .venv/bin/uv pip compile --quiet --generate-hashes --no-header --universal --python-version 3.11 $(UPGRADE)
NODE_MODULES = tests/node/node_modules/.package-lock.json
BENCH_MODULES = bench/node_modules/.package-lock.json
EXAMPLE_MODULES = examples/react-vite/node_modules/.package-lock.json

.PHONY: demo install test chaos bench bench-lexoffice bench-spa profile check image lock clean
.DELETE_ON_ERROR:

demo: install ## The gateway with lexoffice in a box behind it: PORT=8010 make demo
	@exec .venv/bin/lexgate demo --port $(PORT)

install: .venv/.installed ## .venv/bin/lexgate

test: .venv/.installed-dev $(NODE_MODULES) $(EXAMPLE_MODULES) ## Every test: make test TESTS=tests/unit
	.ci/packages chromium firefox-esr redis-server nginx
	.ci/test $(TESTS)

chaos: .venv/.installed-dev $(NODE_MODULES) ## Kills, outages and crowds against three replicas: make chaos TRIALS=20
	.ci/packages redis-server
	HISTORIES=$(HISTORIES) .venv/bin/pytest tests/unit/sessions/test_refresh_histories.py
	.venv/bin/python -m tests.chaos --trials $(TRIALS) --provider-trials $(PROVIDER_TRIALS) --bound $(BOUND)

bench: .venv/.installed-bench $(BENCH_MODULES) ## lexgate and its peers under load, 8 minutes: make bench ROUNDS=1
	.ci/packages wrk redis-server nginx:/usr/sbin/nginx apache2-bin:/usr/sbin/apache2 \
	  libapache2-mod-auth-openidc:/usr/lib/apache2/modules/mod_auth_openidc.so
	.venv/bin/python -m bench --rounds $(ROUNDS)

bench-lexoffice: .venv/.installed ## A page of 20 calls before lexoffice's rate limit, 12 minutes: make bench-lexoffice BURST=5
	.ci/packages redis-server nginx:/usr/sbin/nginx
	.venv/bin/python -m bench.lexoffice --burst $(BURST)

bench-spa: .venv/.installed-dev ## What the app weighs and how soon it is there on a slow phone, 10 minutes: make bench-spa ROUNDS=1
	.ci/packages chromium
	.venv/bin/python -m bench.spa --rounds $(ROUNDS)

profile: .venv/.installed-bench ## Where the microseconds of a call go: make profile DOCUMENT=100k
	.ci/packages wrk nginx:/usr/sbin/nginx
	.venv/bin/python -m bench.profile --document $(DOCUMENT)

check: .venv/.installed-dev $(NODE_MODULES) $(EXAMPLE_MODULES) ## Format, lint, types, import rules, spelling
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 .venv/bin/pyright
	.venv/bin/lint-imports
	.venv/bin/codespell
	.venv/bin/hadolint Dockerfile
	npm --prefix tests/node run --silent types
	npm --prefix examples/react-vite run --silent types

image: ## The container image lexgate, with docker, podman or buildah
	deploy/build-image --tag lexgate

lock: .venv/.installed-dev ## The hash-pinned locks: make lock UPGRADE=--upgrade
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) --group build --output-file requirements-build.lock
	$(LOCK) --group bench --output-file bench/requirements.lock
	$(LOCK) pyproject.toml --group build --group dev --output-file requirements-dev.lock

clean: ## What these verbs have made
	rm -rf .venv tests/node/node_modules bench/node_modules examples/react-vite/node_modules build dist htmlcov .coverage .hypothesis .*_cache
	find gateway tests bench -name __pycache__ -prune -exec rm -rf {} +

.venv/.installed: requirements.lock requirements-build.lock pyproject.toml gateway/__init__.py | .venv/bin/python
	@echo 'Installing into .venv ...'
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock --requirement requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@echo 'Installing what the tests and checks need into .venv ...'
	@$(PIP) install --no-deps --require-hashes --requirement requirements-dev.lock
	@touch $@

.venv/.installed-bench: bench/requirements.lock .venv/.installed
	@echo 'Installing what the load harness needs into .venv ...'
	@$(PIP) install --no-deps --require-hashes --requirement bench/requirements.lock
	@touch $@

.venv/bin/python:
	@.ci/make-venv

$(NODE_MODULES) $(BENCH_MODULES) $(EXAMPLE_MODULES): %/node_modules/.package-lock.json: %/package.json %/package-lock.json
	@.ci/packages npm
	npm --prefix $* ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
