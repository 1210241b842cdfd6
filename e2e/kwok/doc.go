// Package kwok holds the tests of the kwok flavor as people meet it: the real lab,
// the real lab-engine, and Kubernetes' own client. They need nothing but Go:
//
//	go test -tags e2e -timeout 20m ./e2e/kwok
//
// builds both programs first. LAB_BIN_DIR names a directory that has them already,
// as `make test` does. Some of what can break is Linux's alone, and tested there: a
// full disk and a read-only one (where the test is root), memory, and open sockets.
//
// Every test is a person of its own: a home, a LAB_HOME, a KUBECONFIG, a TMPDIR, a
// PATH with nothing on it, and clusters under random names. When it ends, there must
// be no process that knows of these directories, no file in them, and no API server
// that answers; and the kubeconfig must be, byte for byte, what it was before.
//
// Tests that measure, or take the whole machine, run alone, before the others, which
// run side by side. All take five minutes on two cores, ten where others use these
// cores too, and 10 GB of memory
// while TestMany makes its 30 clusters; LAB_E2E_MANY=12 makes that 4 GB.
//
// compare-addons.sh measures `lab addon install` beside `helm install --wait`, and
// compare.sh what the whole program takes beside `kwokctl create cluster`;
// as it builds kwokctl and all that it needs, it is no test.
package kwok
