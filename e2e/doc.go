// Package e2e holds the tests that need a Docker Engine: real tools, real control planes, real pods. They have the
// build tag e2e, so that plain `go test ./...` leaves them alone; `make e2e` makes the test bed and runs them.
package e2e
