# Roost's chores. `make` lists them; CI runs `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO ?= go

# How many inputs each fuzz target tries: those in test/ talk to a server, the others call a decoder. A number and not a
# time, because Go 1.26 may report the end of the time as a failure (go.dev/issue/75804); times do from Go 1.27 on.
FUZZ ?= 100000x
FUZZ_SERVER ?= 5000x

# How long a soak takes: a Go duration.
SOAK ?= 5m

LINT_VERSION := v2.15.0
LINT := .bin/golangci-lint-$(LINT_VERSION)
PLATFORMS := darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 linux/arm64 linux/arm

# say prints what comes next, so that a long log can be read.
say = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: serve
serve: ## run the standalone server with its playground on 127.0.0.1:4000
	$(GO) run ./cmd/roost serve

.PHONY: test
test: tools build vet test-go test-acme test-js fuzz cross lint bench-small ## run everything, and install what it needs; this is what CI does
	$(call say,all of it passes)

.PHONY: test-go
test-go: ## run the Go tests, the floors first, with the race detector and in random order
	$(call say,floors)
	$(GO) test -count=1 ./internal/floors
	$(call say,tests with the race detector)
	$(GO) test -race -shuffle=on -timeout 30m ./...
	$(call say,tests that the race detector disturbs: allocations and sizes)
	$(GO) test -shuffle=on $$(grep -rl --include='*_test.go' '^//go:build !race' . | xargs -n1 dirname | sort -u)

.PHONY: test-acme
test-acme: tools ## get a certificate of pebble, Let's Encrypt's authority for tests, which is a module of its own
	$(call say,a certificate of an authority)
	@if $(GO) -C test/acme mod download; then \
		$(GO) -C test/acme vet ./... && $(GO) -C test/acme test -race -count=1 ./...; \
	elif [[ -n $${CI:-} ]]; then \
		echo "test/acme: its modules cannot be had" >&2; exit 1; \
	else \
		echo "test/acme is skipped: its modules cannot be had"; \
	fi

.PHONY: test-js
test-js: tools ## run phoenix.js, in Node and in Chromium, and the playground in Chromium
	$(call say,JavaScript clients and the browser)
	test/js/run

.PHONY: fuzz
fuzz: ## run every fuzz target with FUZZ (100000x) inputs, those that talk to a server with FUZZ_SERVER (5000x)
	$(call say,fuzz targets)
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $$1 } /^(ok|\?)/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package target; do \
		inputs=$(FUZZ); if [[ $$package == */test/* ]]; then inputs=$(FUZZ_SERVER); fi; \
		echo "$$target of $$package: $$inputs"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime "$$inputs" "$$package" </dev/null; \
	done

.PHONY: soak
soak: ## let clients of every kind live and die for SOAK (5m), on both engines, and count what is left of them
	$(call say,soak of $(SOAK))
	SOAK=$(SOAK) $(GO) test -count=1 -v -timeout 0 -run '^TestASoakLeavesNothing$$' ./test/killing

.PHONY: lint
lint: $(LINT) ## run the linters of .golangci.yml
	$(call say,lint)
	$(LINT) run --allow-parallel-runners ./...

$(LINT):
	$(call say,build golangci-lint $(LINT_VERSION))
	GOBIN="$(CURDIR)/.bin" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .bin/golangci-lint $@

.PHONY: vet
vet: ## run go vet
	$(call say,vet)
	$(GO) vet ./...

.PHONY: build
build: ## compile everything, the examples too
	$(call say,build)
	$(GO) build ./...

.PHONY: cross
cross: ## compile everything, tests too, for macOS, Windows and Linux on ARM (64 and 32 bits)
	$(call say,cross-compile)
	@for platform in $(PLATFORMS); do \
		echo "$$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0 $(GO) vet ./...; \
	done

.PHONY: conformance
conformance: ## test the 297 clauses and write docs/reference/conformance.md
	$(GO) run ./test/conformance/table

.PHONY: reference
reference: ## write docs/reference/config.md from the doc comments, and errors.md from the table of refusals
	$(GO) test -count=1 -run TestTheConfigReferenceIsUpToDate ./cmd/roost -update
	$(GO) test -count=1 -run TestTheErrorReferenceIsUpToDate . -update

.PHONY: bench
bench: ## measure everything that has a target, twice, and print the table (about 10 minutes)
	$(GO) run ./cmd/roost bench table

.PHONY: bench-small
bench-small: ## the same with a few hundred connections, in half a minute: does it work?
	$(call say,small benchmarks)
	$(GO) run ./cmd/roost bench table -small -repeat 1 -quiet

.PHONY: tools
tools: ## install a C compiler (for the race detector), Node, npm, OpenSSL and curl from Debian when absent
	@missing=(); \
	command -v gcc >/dev/null || missing+=(gcc libc6-dev); \
	command -v node >/dev/null || missing+=(nodejs); \
	command -v npm >/dev/null || missing+=(npm); \
	command -v openssl >/dev/null || missing+=(openssl); \
	command -v curl >/dev/null || missing+=(curl); \
	if (( $${#missing[@]} == 0 )); then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "install $${missing[*]} first: this system has no apt-get" >&2; exit 1; fi; \
	sudo=(); if (( EUID != 0 )); then sudo=(sudo); fi; \
	"$${sudo[@]}" apt-get update; \
	"$${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$${missing[@]}"

.PHONY: clean
clean: ## remove what was built here
	rm -rf .bin test/js/.build test/js/node_modules
