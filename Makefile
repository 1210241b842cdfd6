# `make` lists the targets. Required: Go, make, git and, for the race detector, gcc. The test bed needs Linux and root.

# The directory for install: BINDIR, or PREFIX/bin, or the directory of `go install`.
ifdef PREFIX
BINDIR ?= $(PREFIX)/bin
endif
BINDIR ?= $(or $(shell go env GOBIN),$(firstword $(subst :, ,$(shell go env GOPATH)))/bin)
FUZZTIME ?= 60s

ENGINE := providers/kwok/engine
# Without cgo, as the test bed builds its programs, so that Kubernetes is compiled once.
# The tag disables kustomize's plugins, which are not used and would make the program a quarter larger.
ENGINE_BUILD := -trimpath -tags kustomize_disable_go_plugin_support -ldflags "-s -w"
# The packages of the engine that do not link Kubernetes. Only these are tested with the race detector.
ENGINE_LIGHT := ./internal/supervise ./internal/dir ./internal/pki ./internal/egress ./internal/confine ./internal/memory
# The race detector delays the end of every program by a second, and tests start hundreds of programs.
export GORACE ?= atexit_sleep_ms=0
# lint runs vet; go test would read all dependencies of lab again for it.
UNVETTED := -vet=off
# The flags of build, so that nothing is compiled twice.
E2E_TAGS := e2e
E2E_TEST = CGO_ENABLED=0 go test $(UNVETTED) -trimpath -tags $(E2E_TAGS) -count=1
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
MODULES = $(dir $(shell git ls-files '*go.mod'))

# The variables that minikube's build sets. Without them, minikube requests an image without a tag.
MINIKUBE_VERSION := $(addprefix -X k8s.io/minikube/pkg/version.,version=v1.38.1 isoVersion=v1.38.0 \
	storageProvisionerVersion=v5 gitCommitID=v1.38.1)

# The variable that helm's build sets; the module has the version.
HELM_VERSION = -X helm.sh/helm/v3/internal/version.version=$(shell go list -m -f '{{.Version}}' helm.sh/helm/v3)

.DEFAULT_GOAL := help
# What make bench measures. kind, k3d and kwokctl must be on PATH; make testbed-env has test versions of the first two.
BENCH_FLAVORS := kwok
BENCH_FLAGS := --rounds 5

.PHONY: help bench build install uninstall quickstart lab-minikube test test-engine test-inside lint fmt docs golden fuzz cross vuln tidy clean

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  %-28s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## builds bin/lab, bin/lab-engine, bin/lab-helm and the images of hello (the first time, Kubernetes is compiled: five to ten minutes)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/lab ./cmd/lab
	cd $(ENGINE) && CGO_ENABLED=0 go build $(ENGINE_BUILD) -o $(CURDIR)/bin/lab-engine .
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $(HELM_VERSION)" -o bin/lab-helm helm.sh/helm/v3/cmd/helm
	CGO_ENABLED=0 go run -trimpath ./cmd/hello/archive bin/lab-hello.tar

install: build ## installs lab, lab-engine, lab-helm and the images of hello into BINDIR, PREFIX/bin, or the directory of go install
	install -d "$(BINDIR)"
	install bin/lab bin/lab-engine bin/lab-helm "$(BINDIR)"
	install -m 644 bin/lab-hello.tar "$(BINDIR)"

uninstall: ## removes these files from that directory
	rm -f "$(BINDIR)/lab" "$(BINDIR)/lab-engine" "$(BINDIR)/lab-helm" "$(BINDIR)/lab-hello.tar"

quickstart: build ## builds lab, creates a cluster, and shows it
	bin/lab up --flavor kwok
	bin/lab status
	bin/lab kubectl -- create deployment hello --image=hello --replicas=3 --dry-run=client -o yaml | bin/lab kubectl -- apply -f -
	bin/lab kubectl -- rollout status deployment/hello --timeout=60s
	bin/lab kubectl -- get nodes,deployments,pods
	@echo 'To delete the cluster: bin/lab down'

bench: build ## measures clusters beside their tools, and writes docs/benchmarks.md; BENCH_FLAVORS=kind,k3d,minikube,kwok
	bin/lab bench --flavor $(BENCH_FLAVORS) $(BENCH_FLAGS) -o markdown >docs/benchmarks.md.next
	mv docs/benchmarks.md.next docs/benchmarks.md

lab-minikube: ## builds bin/lab-minikube, for machines that have no minikube
	cd providers/minikube/upstream && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $(MINIKUBE_VERSION)" -o $(CURDIR)/bin/lab-minikube .

test: build test-engine test-inside ## runs all tests except those that need Docker
	go test -race $(UNVETTED) -timeout 15m ./...
	CGO_ENABLED=0 go test $(UNVETTED) -trimpath ./providers/k3d -run TestContract # k3d's library has data races
	LAB_BIN_DIR=$(CURDIR)/bin $(E2E_TEST) -timeout 20m -parallel 4 $(E2E_FLAGS) ./e2e/kwok/...

test-engine: ## runs the tests of lab-engine
	cd $(ENGINE) && go test -race $(UNVETTED) $(ENGINE_LIGHT)
	cd $(ENGINE) && CGO_ENABLED=0 go test $(UNVETTED) $(ENGINE_BUILD) -timeout 15m .

test-inside: ## runs the tests of the programs in the images of the test bed
	cd e2e/testbed/inside && CGO_ENABLED=0 go test $(UNVETTED) -trimpath ./...

lint: ## runs gofmt, go vet and staticcheck
	.ci/lint

fmt: ## formats all Go files
	gofmt -w $$(git ls-files '*.go')

docs: ## writes docs/reference from the commands
	go test ./cmd/internal/cli -run TestReference -count=1 -update

golden: ## rewrites the golden files of all tests; read the diff
	go test $$(git grep -l '"update"' -- '*_test.go' ':!$(ENGINE)' ':!e2e' | xargs dirname | sort -u | sed 's|^|./|') -count=1 -update

fuzz: ## runs every fuzzer for FUZZTIME (default 60s)
	.ci/fuzz $(FUZZTIME)

cross: ## builds lab for all supported systems
	@for p in $(PLATFORMS); do echo "$$p"; \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go build -trimpath $(CROSS_FLAGS) -o /dev/null ./cmd/lab || exit 1; done

vuln: ## checks for known vulnerabilities, if the database can be reached
	.ci/vuln

tidy: ## fails if a go.mod or go.sum is not tidy
	@for m in $(MODULES); do echo "$$m"; (cd $$m && go mod tidy -diff) || exit 1; done

clean: ## removes bin
	rm -rf bin

include e2e/testbed/testbed.mk
