// Package kwok contains the end-to-end tests of the flavor kwok: the real lab, the real
// lab-engine, and Kubernetes' own client. They need only Go:
//
//	go test -tags e2e -timeout 20m ./e2e/kwok
//
// builds both programs first. If LAB_BIN_DIR is set, the tests use the programs in that
// directory, as `make test` does. Tests of full and read-only disks (which need root),
// memory and open sockets run on Linux only.
//
// Every test has a separate home directory, LAB_HOME, KUBECONFIG and TMPDIR, an empty
// PATH, and clusters with random names. When it ends, no process may use these
// directories, no file may be left in them, no API server may answer, and the
// kubeconfig must be the same as before, byte for byte.
//
// Tests that measure, or need the whole machine, run first and alone. The others run in
// parallel. All tests take five minutes on two idle cores, and 10 GB of memory while
// TestMany creates 30 clusters, or 4 GB with LAB_E2E_MANY=12.
//
// compare-addons.sh compares `lab addon install` with `helm install --wait`. compare.sh
// compares lab with `kwokctl create cluster`; it is not a test, because it builds kwokctl
// and all its components.
package kwok
