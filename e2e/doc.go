// Package e2e contains the tests that need a Docker Engine: real tools, real control planes, real pods. They have the
// build tag e2e, so plain `go test ./...` skips them. `make e2e` builds the test bed and runs them.
package e2e
