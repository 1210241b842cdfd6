package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/clusterlab-dev/lab/providers"
)

// fakeAlone returns the commands of the tool of a fake flavor: faketool, which is this program.
func fakeAlone(flavor string, spec providers.Spec, dir string) providers.Alone {
	kubeconfig := filepath.Join(dir, "kubeconfig")
	return providers.Alone{
		Tool: "faketool", Version: []string{"faketool", "version"}, Kubeconfig: kubeconfig,
		Create: [][]string{{"faketool", "create", flavor, spec.Name, strconv.Itoa(spec.Workers), kubeconfig}},
		Delete: []string{"faketool", "delete", flavor, spec.Name},
	}
}

// fakeTool is the program of the fake flavors: faketool version, faketool create FLAVOR NAME
// WORKERS KUBECONFIG, faketool delete FLAVOR NAME. It does what files in $FAKE request:
// "toolfails" fails a creation half-way, and "toolkeeps" a deletion.
func fakeTool() {
	if err := useFakeTool(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func useFakeTool(ctx context.Context, args []string) error {
	if args[0] == "version" {
		fmt.Println("faketool 1.0")
		return nil
	}
	p := fakeFlavor(os.Getenv("FAKE"), args[1])
	requested := func(file string) bool {
		_, err := os.Stat(filepath.Join(os.Getenv("FAKE"), file))
		return err == nil
	}
	if args[0] == "delete" {
		if requested("toolkeeps") {
			return errors.New("faketool: the engine is busy")
		}
		return p.Delete(ctx, providers.Ref{Name: args[2]})
	}
	workers, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	if err := p.Create(ctx, providers.Spec{Name: args[2], Workers: workers}, nil); err != nil {
		return err
	}
	if requested("toolfails") {
		return errors.New("faketool: no space left on device")
	}
	config, err := p.Kubeconfig(ctx, providers.Ref{Name: args[2]})
	if err != nil {
		return err
	}
	return os.WriteFile(args[4], config, 0o600)
}
