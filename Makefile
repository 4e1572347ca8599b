# `make up` makes a swarm, `make test` proves it. `make help` lists the rest.
STACK ?= lab
ACCEPTED = $(if $(filter file,$(origin STACK)),dev,$(STACK))
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
OPERATIONS := . ./env.sh && exec python -m operations
INSTALLED := .venv/installed

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/' | expand -t 16

.PHONY: up
up: machines ## everything: tools, virtualenv, the lab or the machines (for STACK=lab or dev), the swarm and its services
	@$(OPERATIONS) up $(STACK)

.PHONY: preview
preview: ready ## whether the machines are as declared; changes nothing
	@$(OPERATIONS) preview $(STACK)

.PHONY: verify
verify: ready ## role by role assertions on the live nodes
	@$(OPERATIONS) verify $(STACK)

.PHONY: doctor
doctor: ready ## whether the hosts are fit for a swarm; DEEP=1: tries a temporary overlay network too
	@$(OPERATIONS) doctor $(STACK) $(if $(DEEP),--deep)

.PHONY: destroy
destroy: ready ## every host leaves the swarm; copes with hosts that give no answer
	@$(OPERATIONS) destroy $(STACK)

.PHONY: lint
lint: ready ## style of Python and shell, and types
	@tests/run lint

.PHONY: test
test: ready ## lint, types, unit tests, then integration tests on a lab of their own
	@tests/run

.PHONY: test-all
test-all: ready ## all of that, every drift on every size of the group of managers, and fifty hosts
	@tests/run all

.PHONY: play
play: ready ## a session on the running swarm, each step checked; writes docs/reports/play.md
	@. ./env.sh && exec python -m acceptance.play $(STACK)

.PHONY: acceptance
acceptance: ready ## from no machines to a swarm tried in every way, and back; STACK=dev, N=: fewer machines; acceptance-STAGE: one stage
	@. ./env.sh && exec python -m acceptance $(ACCEPTED)

acceptance-%: ready
	@. ./env.sh && exec python -m acceptance $(ACCEPTED) $*

.PHONY: bench
bench: ready ## what Pulumi costs, beside a plain script; writes docs/reports/benchmarks.md
	@. ./env.sh && python -m benchmarks.pulumi

.PHONY: bench-election
bench-election: ready ## how long a swarm is without a Leader; writes docs/reports/benchmarks.md
	@. ./env.sh && python -m benchmarks.elections

.PHONY: bench-kv
bench-kv: ready ## how fast the swarm's own store is, beside etcd and Redis; writes docs/reports/kv.md
	@. ./env.sh && python -m benchmarks.kv

.PHONY: tools
tools: ## Pulumi and its plugins: found, downloaded or built
	@python3 -m toolchain

.PHONY: lock
lock: $(INSTALLED) ## requirements.lock anew, after a change of requirements.txt or requirements-dev.txt
	@.venv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --only-binary :all: --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements.lock requirements-dev.txt

.PHONY: machines
machines: ready
	@case $(STACK) in lab) python3 -m lab up ;; dev) python3 -m vagrant up ;; esac

.PHONY: ready
ready: $(INSTALLED)
	@python3 -m toolchain >/dev/null

# All that pip fetches has its sha256 in the lock. A package without a wheel would be built, by tools that have none.
$(INSTALLED): requirements.lock
	@python3 -c 'import ensurepip' 2>/dev/null || toolchain/debian ensurepip=python3-venv
	@toolchain/debian ssh=openssh-client
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@
