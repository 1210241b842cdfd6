package strict_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Boat has a field of each kind that a file can have.
type boat struct {
	Kind   string            `json:"kind" want:"Boat"`
	Name   string            `json:"name" need:"true"`
	Hull   hull              `json:"hull,omitzero"`
	Sails  []sail            `json:"sails,omitempty"`
	Crew   int               `json:"crew,omitempty" max:"9"`
	Motor  *bool             `json:"motor,omitempty"`
	Flags  map[string]string `json:"flags,omitempty"`
	Values map[string]any    `json:"values,omitempty"`
}

type hull struct {
	Wood string `json:"wood,omitempty"`
	beam
}

type beam struct {
	Metres int `json:"metres,omitempty"`
}

type sail struct {
	Name colour `json:"name"`
	Area int    `json:"area,omitempty"`
}

func (s *sail) Short() any { return &s.Name }

type colour string

func (c colour) Problem() string {
	if c == "black" {
		return "black sails are for pirates"
	}
	return ""
}

// FuzzDecode: Decode ends soon for any file, and its error says where each problem is.
func FuzzDecode(f *testing.F) {
	f.Add("kind: Boat\nname: a\nx-s: &s {name: red, area: 2}\nsails: [*s, {<<: *s, area: 3}, blue]\nmotor: true\nvalues: {on: no, list: [1, ~]}\n")
	f.Add("kind: Boat\nname: &a [*a]\n---\n")
	f.Add("? {a: b}\n: c\n<<: [{kind: Boat}, 3]\nflags: {!!binary a: b}\n")
	f.Fuzz(func(t *testing.T, text string) {
		var b boat
		at, problems := strict.Decode("f", "", []byte(text), &b)
		if len(problems) == 0 {
			if b.Kind != "Boat" || at["name"].Line < 1 {
				t.Errorf("accepted: %+v", b)
			}
			return
		}
		for line := range strings.SplitSeq(problems.Err("a hint").Error(), "\n") {
			if !strings.HasPrefix(line, "f:") {
				t.Errorf("%q has no position", line)
			}
		}
	})
}

func TestDecode(t *testing.T) {
	t.Parallel()
	b := boat{Crew: 4, Flags: map[string]string{"bow": "red"}, Values: map[string]any{"a": 1.0, "b": 2.0}}
	before := b.Values
	at, problems := strict.Decode("f", "", []byte(`kind: Boat
name: "1"
crew: ~
x-red: &red {name: red, area: 2}
hull: {wood: oak, metres: 3}
sails: [blue, *red, {<<: [{area: 3}, *red], name: white}]
motor: false
flags: {<<: {stern: white}, bow: green}
values: {b: no, when: 2026-11-29, c: 1}
`), &b)
	no := false
	want := boat{
		Kind: "Boat", Name: "1", Crew: 4, Motor: &no, Hull: hull{"oak", beam{3}},
		Sails: []sail{{"blue", 0}, {"red", 2}, {"white", 3}},
		Flags: map[string]string{"bow": "green", "stern": "white"}, Values: map[string]any{"a": 1.0, "b": false, "when": "2026-11-29", "c": 1.0},
	}
	if diff := cmp.Diff(want, b, cmp.AllowUnexported(hull{})); diff != "" || len(problems) > 0 {
		t.Errorf("%v (-want +got):\n%s", problems, diff)
	}
	if len(before) != 2 {
		t.Errorf("Decode changed the map that was there before: %v", before)
	}
	for path, want := range map[string]strict.Position{"sails[1].area": {4, 31}, "motor": {7, 8}, "crew": {}, "hull.beam": {}} {
		if at[path] != want {
			t.Errorf("%s is at %v, want %v", path, at[path], want)
		}
	}
}

func TestDecodeProblems(t *testing.T) {
	t.Parallel()
	const head = "kind: Boat\nname: a\n"
	for text, want := range map[string]string{
		head + "wood: x":                         `f:3:1: unknown key "wood"; known keys: kind, name, hull, sails, crew, motor, flags, values`,
		head + "sail: x":                         `f:3:1: unknown key "sail"; did you mean sails?`,
		head + "hull: {metre: 1}":                `f:3:8: unknown key "metre" in hull; did you mean metres?`,
		head + "sails: [{x-a: 1, name: a}]":      `f:3:10: unknown key "x-a" in sails[0]; known keys: name, area`,
		head + "crew: 10":                        "f:3:7: crew must be between 0 and 9, not 10",
		head + "crew: 1.5":                       "f:3:7: crew must be a whole number, not the number 1.5",
		head + "motor: yes":                      `f:3:8: motor must be true or false, not the string "yes"`,
		head + "hull: {wood: 2026-11-29}":        `f:3:14: hull.wood must be a string, not the value 2026-11-29; quote it: "2026-11-29"`,
		head + "hull: {wood: !!str {a: b}}":      "f:3:14: hull.wood must be a string, not a mapping",
		head + "sails: [black]":                  "f:3:9: black sails are for pirates",
		head + "sails: {}":                       "f:3:8: sails must be a list ([A, B]), not a mapping",
		head + "sails: [~]":                      "f:3:9: sails[0] is empty",
		head + "flags: {a: {}}":                  "f:3:12: flags.a must be a string, not a mapping",
		head + "values: {a: {b: 1, b: 2}}":       `f:3:20: duplicate key "b"`,
		head + "values: {? [a] : b}":             "f:3:12: a key must be a string, not a list",
		head + "values: {a: .inf}":               "f: invalid YAML: ",
		head + "x-a: &a {crew: x}\n<<: [*a, *a]": `f:3:16: crew must be a whole number, not the string "x"`,
		head + "<<: 3":                           "f:3:5: the merge key << must be a mapping or a list of mappings, not the number 3",
		"kind: Ship\nname: a":                    `f:1:7: kind must be Boat, not "Ship"`,
		"kind: Boat\nname: ~":                    "f:1:1: name is missing",
		"crew: 1":                                "f:1:1: kind is missing: kind: Boat\nf:1:1: name is missing",
		"":                                       "f: the file is empty; it must start with kind: Boat",
		head + "crew: https://u:p@host/x":        `f:3:7: crew must be a whole number, not the string "https://`,
	} {
		_, problems := strict.Decode("f", "", []byte(text), &boat{})
		err := problems.Err("a hint")
		if !errors.Is(err, fault.ErrInvalid) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q:\n%v\nwant %s", text, err, want)
		}
	}
}

// TestObject: values are stored only if the file has no problems.
func TestObject(t *testing.T) {
	t.Parallel()
	const head = "kind: Fleet\n"
	boat, motors, flags := "the default", []string{"a"}, map[string]string{}
	fleet := strict.Object{{Key: "kind", Want: "Fleet"}, {Key: "boats.first.name", Into: &boat}, {Key: "boats.motors", Into: &motors}, {Key: "flags", Into: &flags}}
	for text, want := range map[string]string{
		head + "boats: {first: {name: x}, motor: []}": `f:2:27: unknown key "motor" in boats; did you mean motors?`,
		head + "boats: {first: {nam: x}}":             `f:2:17: unknown key "nam" in boats.first; did you mean name?`,
		"boats: {motors: [b]}":                        "f:1:1: kind is missing: kind: Fleet",
		head + "boats: {first: {name: x}}\nflags: []": "f:3:8: flags must be a mapping (KEY: VALUE), not a list",
	} {
		if _, problems := strict.Decode("f", "", []byte(text), fleet); problems.Error() != want || boat != "the default" || motors[0] != "a" {
			t.Errorf("%q: %v (%s, %s)\nwant %s", text, problems, boat, motors, want)
		}
	}
	_, problems := strict.Decode("f", "", []byte(head+"boats: {<<: {motors: [b, c]}, first: {name: ''}}\nflags: ~\n"), fleet)
	if len(problems) > 0 || boat != "" || len(motors) != 2 || flags == nil {
		t.Errorf("%v: %q, %s, %v", problems, boat, motors, flags)
	}
}
