# Lilium's front door: set-up, build, test, benchmark, installation. What takes more than a few lines is in scripts/.
# Nothing here may reach the network, unless a Debian package or a Swift package is still missing.

# Parallel jobs of the Swift build; a job takes up to 1 GB of memory.
JOBS ?= 2
# `make run SECONDS=60` ends by itself, as Ctrl-C would end it.
SECONDS ?=
# How long each fuzzer runs.
FUZZ_SECONDS ?= 10
PREFIX ?= /usr
DESTDIR ?=

RELEASE := .build/release
PROGRAMS := $(RELEASE)/liliumd $(RELEASE)/liliumctl
BENCH := .build/bench
BENCH_PROGRAMS := $(BENCH)/null-responder $(BENCH)/workload $(BENCH)/syscalls $(BENCH)/tiny
MAN_PAGES := $(wildcard man/*.[578])
SWIFT_TREES := Package.swift Plugins Sources Tests

.DEFAULT_GOAL := help
.PHONY: help deps test-deps build run test test-vm test-vm-default deb fuzz lint format bench check-install install uninstall clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

deps: ## install the Debian packages that are missing (as root), check Swift
	@scripts/deps.sh

test-deps: ## the same, and what tests, checks and benchmarks need
	@scripts/deps.sh tests

build: deps ## build the release programs, the Swift library linked statically
	swift build -c release --static-swift-stdlib -j $(JOBS)

run: build ## dry run over the whole host until Ctrl-C, as root; SECONDS=N ends it after N seconds
	@SECONDS_LIMIT='$(SECONDS)' scripts/run.sh $(RELEASE)

test: test-deps build ## every test: unit and kernel tests, fuzzers for a short time, lint, a trial installation, the package in VMs
	@JOBS=$(JOBS) scripts/test.sh
	@$(MAKE) --no-print-directory fuzz lint check-install test-vm-default

deb: test-deps build ## make the Debian package .build/deb/lilium_VERSION_ARCH.deb, checked by lintian
	@scripts/deb.sh $(RELEASE)

test-vm: deb ## the package on stock kernels in virtual machines, every case on every kernel, as root: half an hour
	@cd Tests/VM && python3 -m bed run --kernel all --full

# What of it belongs to `make test`: Debian's own kernel. Who is not root cannot make a guest.
test-vm-default: deb
	@if [ "$$(id -u)" -eq 0 ] || [ "$$CI" = true ]; then cd Tests/VM && python3 -m bed run; \
	else echo "test: not root, so the cases in virtual machines are left out" >&2; fi

fuzz: test-deps ## run each fuzzer for FUZZ_SECONDS (10) over its committed corpus
	@JOBS=$(JOBS) scripts/fuzz.sh $(FUZZ_SECONDS)

# All of swift-format's default rules are on; .swift-format only sets width and indentation.
lint: test-deps ## check format, scripts, man pages and the unit
	swift-format lint --strict --parallel --recursive $(SWIFT_TREES)
	shellcheck scripts/*.sh Plugins/*/*.sh Benchmarks/*.sh packaging/debian/postinst packaging/debian/postrm Tests/VM/guest/*.sh .ci/run
	mandoc -T lint -W warning $(MAN_PAGES)
	@scripts/lint-unit.sh etc/systemd/liliumd.service

format: ## bring the Swift sources into the house format
	swift-format format --in-place --parallel --recursive $(SWIFT_TREES)

bench: test-deps build $(BENCH_PROGRAMS) ## compare liliumd with a C null responder and no monitor, audit rules with none, as root
	@Benchmarks/bench.sh $(RELEASE) $(BENCH)
	@Benchmarks/audit-cost.sh $(RELEASE) $(BENCH)

$(BENCH)/tiny: BENCH_FLAGS := -static
$(BENCH)/null-responder: BENCH_LIBRARIES := -lcrypto
$(BENCH)/%: Benchmarks/%.c
	@mkdir -p $(@D)
	cc -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror $(BENCH_FLAGS) -o $@ $< $(BENCH_LIBRARIES)

check-install: ## install into a temporary folder, look, uninstall, look again
	@scripts/check-install.sh

$(PROGRAMS):
	@echo "$@ is missing: run 'make build' first" >&2; exit 1

install: $(PROGRAMS) ## install what `make build` built; PREFIX=/usr DESTDIR=
	@scripts/install.sh install $(RELEASE) '$(DESTDIR)' '$(PREFIX)'

uninstall: ## remove what install put there; a changed configuration stays
	@scripts/install.sh uninstall $(RELEASE) '$(DESTDIR)' '$(PREFIX)'

clean: ## remove everything that was built
	rm -rf .build .build-fuzz .build-answer-path
