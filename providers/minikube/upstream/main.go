// Command lab-minikube is minikube, built with the drivers that need no C library. lab runs it where no minikube is
// on PATH; it takes minikube's commands and flags and answers as minikube does.
//
// It is a separate module and process because minikube keeps its options in globals, ends the process by itself,
// and needs another major version of Docker's client than k3d.
//
// It must be built with minikube's version variables (see the Makefile's target lab-minikube): without them minikube
// asks for a storage provisioner with an empty tag, and waits a minute and a half until it gives up.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	"k8s.io/minikube/cmd/minikube/cmd"
	"k8s.io/minikube/cmd/minikube/cmd/flags"
	"k8s.io/minikube/pkg/libmachine/log"
	"k8s.io/minikube/pkg/minikube/constants"
	"k8s.io/minikube/pkg/minikube/localpath"
	"k8s.io/minikube/pkg/minikube/machine"
	"k8s.io/minikube/pkg/minikube/out"
	_ "k8s.io/minikube/pkg/minikube/registry/drvs/docker"
	_ "k8s.io/minikube/pkg/minikube/registry/drvs/none"
	_ "k8s.io/minikube/pkg/minikube/registry/drvs/podman"
	_ "k8s.io/minikube/pkg/minikube/registry/drvs/ssh"
	_ "k8s.io/minikube/pkg/provision"
)

func main() {
	options := flags.CommandOptions()
	defer klog.Flush()
	if err := setFlags(filepath.Base(os.Args[0]) != "kubectl"); err != nil {
		fmt.Fprintln(os.Stderr, "lab-minikube:", err)
		os.Exit(1)
	}
	log.SetOutWriter(klogWriter{})
	log.SetErrWriter(klogWriter{})
	if os.Getenv(constants.IsMinikubeChildProcess) == "" {
		machine.StartDriver(options)
	}
	out.SetOutFile(os.Stdout)
	out.SetErrFile(os.Stderr)
	cmd.Execute()
}

// setFlags reads minikube's global flags, and sends its log to a file, where `minikube logs` looks for it. Called as
// kubectl, minikube passes every argument on, so parse is false and none is read here.
func setFlags(parse bool) error {
	pflag.CommandLine.ParseErrorsAllowlist.UnknownFlags = true // those of the commands, which cobra reads
	pflag.CommandLine.AddGoFlagSet(flag.CommandLine)
	pflag.BoolP("help", "h", false, "") // cobra's, too
	if parse {
		pflag.Parse()
	}
	file := localpath.LastStartLog()
	if pflag.Arg(0) != "start" {
		file = filepath.Join(filepath.Dir(file), "last.txt")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if pflag.Arg(0) == "start" {
		_ = os.Remove(file) // the log of one start only
	}
	defaults := map[string]string{"logtostderr": "false", "alsologtostderr": "false"}
	if !pflag.CommandLine.Changed("log_dir") {
		defaults["log_file"] = file
	}
	for name, value := range defaults {
		if pflag.CommandLine.Changed(name) {
			continue
		}
		if err := pflag.Set(name, value); err != nil {
			return fmt.Errorf("--%s=%s: %w", name, value, err)
		}
	}
	return nil
}

// klogWriter sends what the drivers print into minikube's log.
type klogWriter struct{}

func (klogWriter) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte("&exec.Cmd")) { // that dump holds the environment, and so maybe secrets
		klog.Infof("driver: %s", line)
	}
	return len(line), nil
}
