# `make up` makes a swarm, `make test` proves it. `make help` lists the rest.
STACK ?= lab
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
PULUMI := . ./env.sh && pulumi
INSTALLED := .venv/installed

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/' | expand -t 14

.PHONY: up
up: ready ## everything: tools, virtualenv, the lab (for STACK=lab), the swarm and its services
	@if [ $(STACK) = lab ]; then python3 -m lab up; fi
	@$(PULUMI) stack select --create $(STACK)
	@. ./env.sh && python -m operations.recover $(STACK)
	@$(PULUMI) up --stack $(STACK) --yes --skip-preview --suppress-outputs
	@. ./env.sh && python -m operations.verify $(STACK)

.PHONY: preview
preview: ready ## whether the machines are as declared; changes nothing
	@$(PULUMI) preview --stack $(STACK) --expect-no-changes

.PHONY: verify
verify: ready ## role by role assertions on the live nodes
	@. ./env.sh && python -m operations.verify $(STACK)

.PHONY: destroy
destroy: ready ## every host leaves the swarm; copes with hosts that give no answer
	@. ./env.sh && python -m operations.recover $(STACK)
	@export SWARM_DESTROY=1; $(PULUMI) destroy --stack $(STACK) --run-program --refresh=false --yes --skip-preview --suppress-outputs

.PHONY: test
test: ready ## lint, types, unit tests, then integration tests on a lab of their own
	@tests/run

.PHONY: bench
bench: ready ## what Pulumi costs, beside a plain script; writes docs/benchmarks.md
	@. ./env.sh && python -m operations.bench

.PHONY: tools
tools: ## Pulumi and its plugins: found, downloaded or built
	@python3 -m toolchain

.PHONY: ready
ready: $(INSTALLED)
	@python3 -m toolchain >/dev/null

$(INSTALLED): requirements.txt requirements-dev.txt
	@python3 -c 'import ensurepip' 2>/dev/null || toolchain/debian ensurepip=python3-venv
	@toolchain/debian ssh=openssh-client
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
