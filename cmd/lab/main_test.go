package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/helm"
	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/images/cache"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// TestMain makes the test binary a lab with fake flavors.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lab": func() { os.Exit(start(buildFake)) }, "faketool": fakeTool})
}

// flavorNames returns the names of the fake flavors. "plain" has no optional abilities.
func flavorNames() []string { return []string{"kind", "k3d", "plain"} }

func buildFake() (cli.Env, error) {
	if os.Getenv("STRAYS") != "" { // like a library
		log.Print("a stray of log")
		slog.Warn("a stray of slog")
		fmt.Fprintln(os.Stderr, "a stray on stderr")
		fmt.Println("a stray on stdout")
	}
	dirs, noDirs := machine.FindDirs(os.Getenv)
	var flavors []providers.Flavor
	for _, name := range flavorNames() {
		flavors = append(flavors, providers.Flavor{Name: name, New: func(providers.Setup) providers.Provider {
			return fakeFlavor(os.Getenv("FAKE"), name)
		}})
	}
	user, set, misconfigured, err := configure(dirs, flavors)
	env := assemble(dirs, set, fakeProbe{}, user)
	env.Doctor.Misconfigured = misconfigured
	env.Bench.Rest = 0
	env.Bundles.Programs = func() []string { return nil } // this program is large
	env.Cache.Container = noContainers{}
	fake := addontest.NewFake(filepath.Join(os.Getenv("FAKE"), "addons"))
	env.Addons.Tools = clusteraddons.Tools{
		Source:    func(bool, []byte) addons.Source { return addontest.Source{} },
		Installer: fake, Checker: fake, Set: helm.Set,
		Images: func(r addons.Release) ([]addons.Image, error) {
			return []addons.Image{{Name: "registry.example/" + r.Addon.Name + ":v1", Addon: r.Addon.Name, NeededBy: []string{"container web of Deployment shop/web", "container web of Job shop/set-up"}}}, nil
		},
	}
	env.Clusters.PodImages = fakePods
	env.Learning.Connect = func([]byte) (exercises.Cluster, error) {
		return classroom{dir: filepath.Join(os.Getenv("FAKE"), "namespaces")}, nil
	}
	env.Traffic.Connect = func([]byte) (traffic.Cluster, error) { return rollout{}, nil }
	if data, err := os.ReadFile(os.Getenv("FAKE") + "/tools.yaml"); err == nil {
		env.Tools.Installer.Catalog = func() (tools.Catalog, error) { return tools.Parse(data) }
		env.Bundles.Tools.Catalog = env.Tools.Installer.Catalog
	}
	if ms, err := strconv.Atoi(os.Getenv("PATIENCE_MS")); err == nil {
		env.Inventory.State.Patience = time.Duration(ms) * time.Millisecond
		env.Clusters.Kubeconfig.Patience = env.Inventory.State.Patience
	}
	return env, cmp.Or(noDirs, err)
}

// noContainers is an engine that cannot run the image cache.
type noContainers struct{}

func (noContainers) Find(context.Context, string) (*cache.Instance, error) { return nil, nil }

func (noContainers) Run(context.Context, cache.Server, event.Reporter) (*cache.Instance, error) {
	return nil, fault.Errorf(fault.ErrUnavailable, "the fake engine has no containers")
}

func (noContainers) Remove(context.Context, string) error { return nil }

func fakeFlavor(dir, name string) providers.Provider {
	fake := providertest.NewFake(providertest.Machine(filepath.Join(dir, name)), providertest.FakeOptions{
		Name:   name,
		Refuse: refuse,
		Alone:  func(spec providers.Spec, dir string) providers.Alone { return fakeAlone(name, spec, dir) },
		Traits: providers.Traits{RunsPods: name == "kind", HostPorts: providers.HostPortsNode},
	})
	if name == "plain" {
		return struct{ providers.Provider }{fake}
	}
	return fake
}

func refuse(spec providers.Spec) error {
	if spec.ControlPlanes > 3 {
		err := fault.Errorf(fault.ErrUnsupported, "%d control planes are too many", spec.ControlPlanes)
		return fault.WithHint(err, "use --control-planes 3")
	}
	return nil
}

// fakeProbe reads the state of clusters from the fake flavors instead of API servers. The files
// "absent" and "lacks" have components that are not installed, and what is not ready.
type fakeProbe struct{}

func (fakeProbe) ask(ctx context.Context, kubeconfig []byte) error {
	for _, name := range flavorNames() {
		err := providertest.Machine(filepath.Join(os.Getenv("FAKE"), name)).Probe(ctx, kubeconfig)
		if !errors.Is(err, fault.ErrNotFound) {
			return err
		}
	}
	return fault.ErrNotFound
}

func (p fakeProbe) Wait(ctx context.Context, kubeconfig []byte, _ probe.Want, _ func(string)) error {
	for {
		err := p.ask(ctx, kubeconfig)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the API server to answer (%v): %w", err, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p fakeProbe) Look(ctx context.Context, kubeconfig []byte, _ probe.Want) (probe.Report, error) {
	if err := p.ask(ctx, kubeconfig); err != nil {
		return probe.Report{}, err
	}
	report := probe.Report{Nodes: []probe.Node{{Name: "node", Role: "control-plane", Ready: true}}}
	if absent, err := os.ReadFile(filepath.Join(os.Getenv("FAKE"), "absent")); err == nil {
		report.Absent = strings.Fields(string(absent))
	}
	if lacks, err := os.ReadFile(filepath.Join(os.Getenv("FAKE"), "lacks")); err == nil {
		report.Lacks = errors.New(strings.TrimSpace(string(lacks)))
	}
	return report, nil
}

// TestScripts runs the end-to-end scripts in testdata/script with fake flavors.
func TestScripts(t *testing.T) {
	// Under nohup, every lab would ignore hangups. Child processes do not inherit that if this
	// process handles them.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			for _, dir := range []string{"home", "fake", "tmp"} {
				if err := os.Mkdir(filepath.Join(env.WorkDir, dir), 0o700); err != nil {
					return err
				}
			}
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LAB_HOME", filepath.Join(env.WorkDir, "labhome"))
			env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "home", "kubeconfig"))
			env.Setenv("FAKE", filepath.Join(env.WorkDir, "fake"))
			env.Setenv("TMPDIR", filepath.Join(env.WorkDir, "tmp"))
			// Without it, the race detector delays the end of each lab by a second.
			env.Setenv("GORACE", "atexit_sleep_ms=0 halt_on_error=1")
			// The directory of lab.
			env.Setenv("LABBIN", filepath.SplitList(env.Getenv("PATH"))[0])
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     code,
			"await":    await,
			"foreign":  foreign,
			"remake":   remake,
			"remove":   removeCluster,
			"clean":    clean,
			"many":     many,
			"object":   object,
			"events":   events,
			"expired":  expired,
			"old":      old,
			"releases": releases,
			"hints":    hints,
			"archive":  archive,
		},
	})
}

// code runs a command and checks its exit code: code N COMMAND ARGS...
func code(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s", got, want, ts.ReadFile("stderr"))
	}
}

// await waits until a file exists, or with ! until it does not.
func await(ts *testscript.TestScript, neg bool, args []string) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := os.Stat(ts.MkAbs(args[0])); (err == nil) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("timed out waiting for %s", args[0])
		}
		<-time.After(5 * time.Millisecond)
	}
}

func machineOf(ts *testscript.TestScript, flavor string) providertest.Machine {
	return providertest.Machine(filepath.Join(ts.Getenv("FAKE"), flavor))
}

// foreign creates a cluster that is not managed by lab: foreign FLAVOR NAME
func foreign(ts *testscript.TestScript, _ bool, args []string) {
	spec := providers.Spec{Name: args[1]}.WithDefaults()
	ts.Check(fakeFlavor(ts.Getenv("FAKE"), args[0]).Create(context.Background(), spec, nil))
}

// remake replaces a cluster by another one that is not managed by lab: remake FLAVOR NAME
func remake(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(machineOf(ts, args[0]).Remake(args[1]))
}

// removeCluster deletes a cluster without lab: remove FLAVOR NAME
func removeCluster(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(fakeFlavor(ts.Getenv("FAKE"), args[0]).Delete(context.Background(), providers.Ref{Name: args[1]}))
}

// clean checks that lab has left nothing: no files and no directories in its own directories or
// among temporary files, and no clusters. It waits for background processes of lab.
func clean(ts *testscript.TestScript, _ bool, _ []string) {
	deadline := time.Now().Add(10 * time.Second)
	for left := leftBehind(ts); left != ""; left = leftBehind(ts) {
		if time.Now().After(deadline) {
			ts.Fatalf("leftover: %s", left)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// leftBehind returns a leftover, or "".
func leftBehind(ts *testscript.TestScript) string {
	left := ""
	for _, root := range []string{ts.Getenv("LAB_HOME"), ts.Getenv("TMPDIR")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && path != root {
				left = path
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		})
		ts.Check(err)
	}
	for _, flavor := range flavorNames() {
		clusters, err := fakeFlavor(ts.Getenv("FAKE"), flavor).List(context.Background())
		ts.Check(err)
		if len(clusters) > 0 {
			left = fmt.Sprint(clusters)
		}
	}
	return left
}

// many runs lab N times concurrently. {} in an argument is replaced by the number of the run:
// many N ARGS...
func many(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- runLab(ts, i, args[1:]) }()
	}
	for range n {
		ts.Check(<-errs)
	}
}
