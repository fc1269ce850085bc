# Millrace. `make help` lists what there is; `make` builds, tests and lints.

SHELL := /bin/sh
.DEFAULT_GOAL := all

# Some machines run builds without a home. Go, Maven and the caches below want one.
ifneq ($(shell [ -n "$$HOME" ] && mkdir -p "$$HOME" 2>/dev/null && [ -w "$$HOME" ] && echo ok),ok)
export HOME := $(or $(TMPDIR),/tmp)/millrace-home-$(shell id -u)
$(shell mkdir -p "$(HOME)")
endif

# Everything that survives a run, outside the tree: built tools, Kafka's jars.
export MILLRACE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/millrace
# A Go that was unpacked but never put on the PATH.
export PATH := $(PATH):/usr/local/go/bin

BIN      := bin/millrace
RUNNER   := bin/testrun
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
BUILD    := go build -trimpath -buildvcs=false
LDFLAGS  := -s -w -X github.com/millrace-io/millrace/internal/app.version=$(VERSION) -X github.com/millrace-io/millrace/internal/app.revision=$(REVISION)
FUZZTIME ?= 20s
TIMEOUT  ?= 40m
PKG      ?= ./...

# Without a C compiler there is no race detector.
RACE     := $(if $(shell command -v $(or $(CC),cc) 2>/dev/null || command -v gcc 2>/dev/null),-race)
# Packages tested in process, for the shell to expand. Those below test/ drive servers and the ordinary binary.
UNIT     := $$(go list -e $(PKG) | grep -v '/millrace/test/' | tr '\n' ' ')

.PHONY: all help setup run build test unit system lint fmt race fuzz bench docs cover check clean $(BIN)

all: build test ## Build and test everything, with lint (the default)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  Variables: PKG=./internal/rest/... (what unit, race and cover test), FUZZTIME=$(FUZZTIME), TIMEOUT=$(TIMEOUT) (of make test),"
	@echo "  BENCHFLAGS (for bench), MILLRACE_CACHE=$(MILLRACE_CACHE)"

setup: ## Check for Go, Java, Maven and git; install what is missing where that is possible
	@scripts/setup.sh

run: build ## Build, then start a worker with an embedded broker
	./$(BIN) dev

build: $(BIN) ## Build bin/millrace

$(BIN):
	$(BUILD) -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/millrace

test: setup ## Everything: lint, unit tests with the race detector, system tests against real servers
	@go build -buildvcs=false -o $(RUNNER) ./test/bed/run
	@MILLRACE_BIN=$(abspath $(BIN)) $(RUNNER) -timeout $(TIMEOUT) -allow-skip MILLRACE_GOLDEN_DIR \
		-beside 'lint: scripts/lint.sh' \
		-stage "unit: go test $(RACE) -timeout 15m $(UNIT)" \
		-stage 'build: make --no-print-directory build' \
		-stage 'system: go test -count=1 -timeout 20m ./test/...'

unit: ## The unit tests of PKG, without race detector and servers
	go test $(UNIT)

system: setup build ## The system tests alone
	@go build -buildvcs=false -o $(RUNNER) ./test/bed/run
	@MILLRACE_BIN=$(abspath $(BIN)) $(RUNNER) -timeout $(TIMEOUT) -allow-skip MILLRACE_GOLDEN_DIR \
		-stage 'system: go test -count=1 -timeout 20m ./test/...'

lint: ## Run golangci-lint with .golangci.yml
	@scripts/lint.sh

fmt: ## Format all Go files with gofumpt
	@$$(scripts/tool.sh gofumpt) -w .

race: ## The unit tests of PKG with the race detector
	go test -race $(UNIT)

fuzz: ## Run each fuzz test for FUZZTIME
	@scripts/fuzz.sh $(FUZZTIME)

bench: ## Measure against the Java worker; flags in BENCHFLAGS
	go run ./bench $(BENCHFLAGS)

docs: ## Write docs/connectors and docs/worker.md from the plugins, the keys and internal/docgen
	go run ./internal/docgen

cover: ## Test coverage of PKG, as out/cover.html
	@mkdir -p out
	go test -coverprofile=out/cover.out $(UNIT)
	@go tool cover -html=out/cover.out -o out/cover.html
	@go tool cover -func=out/cover.out | tail -1
	@echo "details: out/cover.html"

check: ## Fail when go.mod or the formatting is not clean
	go mod tidy -diff
	cd tools && go mod tidy -diff
	@scripts/format.sh

clean: ## Remove what was built here; caches stay in MILLRACE_CACHE
	rm -rf bin out
