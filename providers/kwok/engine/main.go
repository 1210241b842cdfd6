// Command lab-engine runs a Kubernetes cluster in one process: etcd, the control plane, and KWOK, which
// simulates the nodes. PROTOCOL.md describes its interface.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	_ "time/tzdata" // for CronJobs, on machines without a time zone database

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/engine"
)

const usage = `usage: lab-engine serve --dir DIR [--report-fd N]
       lab-engine check <CONFIGURATION
       lab-engine snapshot --dir DIR --to FILE
       lab-engine restore --dir DIR --from FILE
       lab-engine kubectl ...
       lab-engine version [-o json]
`

// Exit codes. lab-engine kubectl has those of kubectl.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitLocked = 3
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func run(args []string, out, errOut io.Writer) int {
	if err := engine.SetVersion(); err != nil {
		fmt.Fprintf(errOut, "lab-engine: %v\n", err)
		return exitFailed
	}
	if filepath.Base(args[0]) == "kubectl" {
		return runKubectl(args)
	}
	if len(args) < 2 {
		fmt.Fprint(errOut, usage)
		return exitUsage
	}
	switch args[1] {
	case "serve":
		return runServe(args[2:], errOut)
	case "check":
		return runCheck(os.Stdin, errOut)
	case "snapshot":
		return runSnapshot(args[2:], errOut)
	case "restore":
		return runRestore(args[2:], errOut)
	case "kubectl":
		return runKubectl(args[1:])
	case "version":
		return runVersion(args[2:], out, errOut)
	case "help", "-h", "--help":
		fmt.Fprint(out, usage)
		return exitOK
	}
	fmt.Fprintf(errOut, "lab-engine: unknown command %q\n%s", args[1], usage)
	return exitUsage
}
