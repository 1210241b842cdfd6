package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"
)

// object checks that stdout, or stderr, is one object of lab's in that format and nothing
// else: object stdout|stderr json|yaml KIND
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
		ts.Fatalf("it is a %q of %q, want a %s", o.Kind, o.APIVersion, args[2])
	}
}

// events checks that every line of stderr is an event with the fields of the contract,
// that each step that began has ended, and that what else is there names its kind.
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
			ts.Fatalf("%s: an unknown state", line)
		}
	}
	for step, n := range open {
		if n != 0 {
			ts.Fatalf("step %q never ended, or never began", step)
		}
	}
	if seen == 0 {
		ts.Fatalf("there are no events")
	}
}
