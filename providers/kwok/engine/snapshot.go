package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/snapshot"
)

// runSnapshot writes the data of a cluster to a file.
func runSnapshot(args []string, errOut io.Writer) int {
	directory, file, ok := snapshotFlags("snapshot", "to", args, errOut)
	if !ok {
		return exitUsage
	}
	return ended(snapshot.Save(context.Background(), directory, file), errOut)
}

// runRestore creates the data of a new cluster from such a file.
func runRestore(args []string, errOut io.Writer) int {
	directory, file, ok := snapshotFlags("restore", "from", args, errOut)
	if !ok {
		return exitUsage
	}
	return ended(snapshot.Restore(directory, file), errOut)
}

func snapshotFlags(verb, fileFlag string, args []string, errOut io.Writer) (directory, file string, ok bool) {
	flags := flag.NewFlagSet("lab-engine "+verb, flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.StringVar(&directory, "dir", "", "directory of the cluster")
	flags.StringVar(&file, fileFlag, "", "file of the snapshot")
	if err := flags.Parse(args); err != nil || directory == "" || file == "" || flags.NArg() > 0 {
		fmt.Fprint(errOut, usage)
		return "", "", false
	}
	return directory, file, true
}

func ended(err error, errOut io.Writer) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, dir.ErrLocked):
		fmt.Fprintf(errOut, "lab-engine: %v\n", err)
		return exitLocked
	}
	fmt.Fprintf(errOut, "lab-engine: %v\n", err)
	return exitFailed
}
