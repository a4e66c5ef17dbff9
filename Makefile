# Every target does what it needs by itself, and does nothing twice.
.DEFAULT_GOAL := help
.PHONY: help setup build up down demo test faults planted bench lint format freeze clean

JOBS ?= $(shell nproc)
SEED ?= 1
SCHEDULES ?= 200
RESTORES ?= 20
# A commit whose services work beside the present ones in the schedules.
OLDER ?=
LOCAL := deploy/local
BUILD := build/release
BIN := $(BUILD)/bin

help: ## shows this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## installs what is missing on this machine (Debian 12)
	@$(LOCAL)/setup

build: setup ## builds everything into build/release/bin
	@[ -e $(BUILD)/build.ninja ] || cmake --preset release --log-level=WARNING
	@ninja -C $(BUILD) -j $(JOBS)

up: build ## starts both services and their databases on this machine
	@$(LOCAL)/up

down: ## stops them; the data stays in var/
	@$(LOCAL)/down

demo: up ## shows one order from plan to parcel, through both services
	@$(BIN)/mtpctl demo

# What failed is said once more at the end, where people look first.
test: build lint ## checks and runs every test
	@cd $(BUILD) && rm -f failures.txt && \
	{ MTP_FAILURES=$$PWD/failures.txt ctest --verbose || { cat failures.txt; exit 1; }; }

faults: build ## tries random schedules of faults, and restores (SEED=1 SCHEDULES=200 RESTORES=20 OLDER=)
	@older=$$(tests/faults/older "$(OLDER)") && \
	SEED=$(SEED) SCHEDULES=$(SCHEDULES) RESTORES=$(RESTORES) OLDER=$$older $(BIN)/fault_tests "[schedules],[any-moment]"

planted: build ## shows that the fault tests find each of the known bugs (about half an hour)
	@tests/faults/planted $(BIN)/fault_tests

bench: build ## measures against bare gRPC and pgbench, writes build/bench.json
	@$(BIN)/mtp_bench

lint: setup ## checks contract, format, includes and scripts
	@$(LOCAL)/lint

format: setup ## formats all C++
	@git ls-files -co --exclude-standard -- '*.cc' '*.h' | xargs -r clang-format -i

freeze: lint ## takes the contract as it is now for what no later change may break
	@build/tools/node_modules/.bin/buf build proto --exclude-source-info -o proto/contract.binpb

clean: ## removes what was built (not the installed tools, not var/)
	@rm -rf build/release build/asan build/tsan
