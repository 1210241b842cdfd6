package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/cmd/internal/tools/toolstest"
)

// expired changes the record of a cluster, so that the cluster expired an hour ago. No
// background process waits for that: expired NAME
func expired(ts *testscript.TestScript, _ bool, args []string) {
	s := state.Open(filepath.Join(ts.Getenv("LAB_HOME"), "state"))
	r, err := s.Get(args[0])
	ts.Check(err)
	past := time.Now().Add(-time.Hour).UTC()
	r.ExpiresAt = &past
	ts.Check(s.Put(r))
}

// old sets the time of a snapshot to two months ago: old NAME
func old(ts *testscript.TestScript, _ bool, args []string) {
	path := filepath.Join(ts.Getenv("LAB_HOME"), "state", "snapshots", args[0], "snapshot.json")
	past := time.Now().Add(-60 * 24 * time.Hour).UTC().Format(time.RFC3339)
	changed := regexp.MustCompile(`"createdAt": "[^"]+"`).ReplaceAllString(ts.ReadFile(path), fmt.Sprintf(`"createdAt": %q`, past))
	ts.Check(os.WriteFile(path, []byte(changed), 0o600))
}

// runLab runs the lab of a script.
func runLab(ts *testscript.TestScript, i int, args []string) error {
	path, err := exec.LookPath("lab")
	for _, dir := range strings.Split(ts.Getenv("PATH"), ":") {
		if p, e := exec.LookPath(dir + "/lab"); e == nil {
			path, err = p, nil
			break
		}
	}
	if err != nil {
		return err
	}
	cmd := exec.Command(path)
	for _, a := range args {
		cmd.Args = append(cmd.Args, strings.ReplaceAll(a, "{}", strconv.Itoa(i)))
	}
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "LAB_HOME", "KUBECONFIG", "FAKE", "TMPDIR", "GORACE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lab %q: %w\n%s", cmd.Args[1:], err, out)
	}
	return nil
}

// releases creates releases of fake tools in a directory, and serves them over HTTPS. The CA
// certificate is DIR/ca.pem. The fake tools replace the catalog of lab: releases DIR
func releases(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	server := httptest.NewUnstartedServer(http.FileServer(http.Dir(dir)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust the certificate cause log lines
	server.StartTLS()
	ts.Defer(server.Close)
	catalog, files, err := toolstest.Releases(server.URL, runtime.GOOS+"/"+runtime.GOARCH)
	ts.Check(err)
	files["ca.pem"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, data := range files {
		ts.Check(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	data, err := yaml.Marshal(catalog)
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("FAKE"), "tools.yaml"), data, 0o600))
}

// object checks that a stream contains exactly one object of a kind:
// object stdout|stderr json|yaml KIND
func object(ts *testscript.TestScript, _ bool, args []string) {
	text := []byte(ts.ReadFile(args[0]))
	if args[1] == "yaml" {
		var err error
		text, err = yaml.YAMLToJSONStrict(text)
		ts.Check(err)
	}
	var o struct{ APIVersion, Kind string }
	if err := json.Unmarshal(text, &o); err != nil {
		ts.Fatalf("%s is not %s: %v\n%s", args[0], args[1], err, text)
	}
	if o.APIVersion != "lab/v1alpha1" || o.Kind != args[2] {
		ts.Fatalf("the object is a %q of %q, want a %s", o.Kind, o.APIVersion, args[2])
	}
}

// events checks that each line of stderr is an event with the documented fields, or an object
// with a kind, and that each step that started has ended.
func events(ts *testscript.TestScript, _ bool, _ []string) {
	fields := []string{"cluster", "elapsedMs", "message", "state", "step", "time"}
	open := map[string]int{}
	seen := 0
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			ts.Fatalf("%q: %v", line, err)
		}
		if o["kind"] != nil {
			continue // a note, a warning or the error
		}
		seen++
		if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(o))); diff != "" {
			ts.Fatalf("%s: fields (-want +got):\n%s", line, diff)
		}
		step, _ := o["step"].(string)
		switch o["state"] {
		case "started":
			open[step]++
		case "done", "failed":
			open[step]--
		case "progress":
		default:
			ts.Fatalf("%s: unknown state", line)
		}
	}
	for step, n := range open {
		if n != 0 {
			ts.Fatalf("step %q did not end, or did not start", step)
		}
	}
	if seen == 0 {
		ts.Fatalf("no events")
	}
}
