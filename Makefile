# `make` alone lists the commands.

# With MPI=1 everything is built with the trait MPI. LAB_MPI=mpich does so with MPICH instead of Open MPI.
ifdef MPI
export LAB_MPI ?= 1
endif

.PHONY: help run test docs sanitize bench bench-compare bench-processes parity processes kernel neon fuzz dist gpu-bundle lint set-up clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: set-up ## install what is missing, build, run the notebooks in their quick form, make their pages
	swift build -c release
	.build/release/lab notebooks run --all --quick

# By default `swift test` builds everything with -enable-testing and the other commands build it
# without, so that each change from one to the other would compile the whole package again.
test: set-up lint ## install what is missing, then lint, all tests, notebooks, docs, a dependent package
	swift test -c release --disable-testable-imports --disable-xctest
	LAB_TEST_SERVER=1 swift test -c release --disable-testable-imports --disable-xctest --filter NotebookServerTests
	.build/release/lab notebooks check --all --translations
	.build/release/lab notebooks check --all
	@scripts/docs
	@scripts/consumer

docs: set-up ## build the documentation of the library
	@scripts/docs

sanitize: set-up ## run tests with the address and the thread sanitizer
	@scripts/sanitize $(SANITIZERS)

bench: set-up ## time kernels, and training steps beside PyTorch's, in an own Python environment
	@scripts/bench $(BENCH)

bench-compare: set-up ## time the last commit, or COMPARE='REVISION …', and the working tree in turn
	@scripts/bench-compare $(COMPARE)

parity: set-up ## compare weights, losses, checkpoints and event files with PyTorch's and TensorBoard's
	@scripts/parity $(PARITY)

kernel: set-up ## run cells and a notebook in the Jupyter kernel, with nbclient in an own Python environment
	@scripts/kernel

processes: set-up ## test several processes with MPICH, and four machines, which are network namespaces
	@scripts/processes $(PROCESSES)

bench-processes: set-up ## time several processes beside PyTorch's, in an own Python environment
	@scripts/bench-processes $(BENCH)

neon: ## test the loops for NEON on an emulated arm64 processor
	@scripts/neon

# Damaged files are written to memory where possible; a reader has twenty minutes at most.
fuzz: set-up ## read 100,000 damaged files with each file reader
	@if [ -d /dev/shm ]; then export TMPDIR=/dev/shm; fi; \
	LAB_FUZZ=100000 swift test -c release --disable-testable-imports --disable-xctest --filter Fuzz

dist: set-up ## make the archive that runs without Swift, on Debian 12 or Ubuntu 22.04
	@scripts/dist

gpu-bundle: set-up ## make the archive that tests and times a GPU without Swift, beside PyTorch
	@scripts/gpu-bundle $(GPU_BUNDLE)

lint: ## check the format and the project's rules
	@scripts/lint

set-up: ## install what is missing: C libraries, and with MPI=1 Open MPI
	@scripts/set-up $(if $(LAB_MPI),--mpi)

clean: ## remove build products; data, output and fetched packages stay
	swift package clean
	rm -rf .build/docs .build-consumer .build-address .build-thread .build-dist .build-gpu .build-neon .build-compare
