# Targets of the end-to-end suite and of its test bed, included by the Makefile at the top.

.PHONY: testbed testbed-down testbed-env e2e e2e-kind e2e-k3d e2e-minikube

testbed: ## makes the test bed: a Docker Engine where none answers, node images, tools (Linux, root)
	@go run ./e2e/testbed up

testbed-down: ## stops the Docker Engine that the test bed started, and nothing else
	@go run ./e2e/testbed down
