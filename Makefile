# `make` alone lists the commands.

.PHONY: help run test bench parity fuzz lint set-up clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: set-up ## install what is missing, build, run the notebooks in their quick form, make their pages
	swift build -c release
	.build/release/lab notebooks run --all --quick

# Left to itself, `swift test` builds everything with -enable-testing, the other commands build it
# without, and each change from one to the other compiles the whole package again.
test: set-up lint ## install what is missing, then lint, all tests, and the notebooks' results
	swift test -c release --disable-testable-imports --disable-xctest
	.build/release/lab notebooks check --all

bench: set-up ## time kernels, and whole steps beside PyTorch's, with our own Python environment
	@scripts/bench $(BENCH)

parity: set-up ## compare weights, losses, checkpoints and event files with PyTorch's and TensorBoard's
	@scripts/parity $(PARITY)

# Damaged files are written where that costs no disk; a reader has twenty minutes at most.
fuzz: set-up ## give each reader of files 100,000 damaged ones
	@if [ -d /dev/shm ]; then export TMPDIR=/dev/shm; fi; \
	LAB_FUZZ=100000 swift test -c release --disable-testable-imports --disable-xctest --filter Fuzz

lint: ## check the format and the rules of the house
	@scripts/lint

set-up: ## install what is missing: C libraries, a font
	@scripts/set-up

clean: ## remove what was built; data, output and fetched packages stay
	swift package clean
