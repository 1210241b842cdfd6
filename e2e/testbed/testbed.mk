# Targets of the end-to-end tests and of their test bed. The Makefile of the repository includes this file.

# The flavors that have end-to-end tests with a container engine. minikube takes longest, so it starts early.
E2E_FLAVORS := kind minikube k3d

.PHONY: testbed testbed-observability testbed-down testbed-env e2e e2e-flavors $(E2E_FLAVORS:%=e2e-%) e2e-compare e2e-observability

testbed: ## builds the test bed: a Docker Engine if none answers, node images, tools (Linux, root)
	@CGO_ENABLED=0 go run -trimpath ./e2e/testbed up

testbed-observability: ## builds the test bed and a node image for kube-prometheus-stack
	@CGO_ENABLED=0 go run -trimpath ./e2e/testbed observability

testbed-down: ## stops the Docker Engine that the test bed started
	@CGO_ENABLED=0 go run -trimpath ./e2e/testbed down

testbed-env: ## prints exports that make lab use the test bed: eval "$$(make -s testbed-env)"
	@CGO_ENABLED=0 go run -trimpath ./e2e/testbed env

e2e: testbed ## runs the end-to-end tests on real clusters; LAB_E2E_IMAGES=upstream uses the published images
	$(E2E_TEST) -timeout 100m $(E2E_FLAGS) ./e2e

e2e-flavors: $(E2E_FLAVORS:%=e2e-%) ## the same, one flavor after the other, or in parallel with -j; e2e-kind runs one flavor

$(E2E_FLAVORS:%=e2e-%): e2e-%: testbed
	$(E2E_TEST) -timeout 100m -run '/$*$$' $(E2E_FLAGS) ./e2e

e2e-compare: E2E_TAGS := e2e,compare
e2e-compare: testbed ## compares `lab up` with each tool's own command; E2E_FLAGS='-run TestOverhead/kind' selects one
	$(E2E_TEST) -timeout 100m -run TestOverhead -v $(E2E_FLAGS) ./e2e

e2e-observability: E2E_TAGS := e2e,observability
e2e-observability: testbed-observability ## tests kube-prometheus-stack on a real cluster; LAB_CHARTS is the directory with its chart
	$(E2E_TEST) -timeout 30m -run Observability $(E2E_FLAGS) ./e2e
