// Package exercises reads exercise packs, observes a cluster as an exercise says, and decides which
// of its checks pass. A pack is a directory with pack.yaml and one directory per exercise:
//
//	NAME/exercise.yaml   what to observe, and the checks with their hints
//	NAME/en.md, ru.md    the texts, one file per language of the pack
//	NAME/start.yaml, …   manifests, under names that exercise.yaml has
//
// Checks are CEL expressions over the observed objects, never shell. docs/exercises.md describes the
// format.
package exercises

import (
	"regexp"
	"time"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// packFile is the content of pack.yaml.
type packFile struct {
	APIVersion   string     `json:"apiVersion" want:"lab/v1alpha1" doc:"the version of this format"`
	Kind         string     `json:"kind" want:"Pack" doc:"what this file is"`
	Name         Name       `json:"name" need:"true" doc:"the name of the pack"`
	Languages    []Language `json:"languages" need:"true" doc:"the languages of all texts; the first is the default"`
	Images       []string   `json:"images,omitempty" doc:"every image that manifests and commands name"`
	BrokenImages []string   `json:"brokenImages,omitempty" doc:"images that do not exist, for exercises about errors"`
	Exercises    []Item     `json:"exercises" need:"true" doc:"the exercises in order; each is a directory"`
}

// exerciseFile is the content of exercise.yaml.
type exerciseFile struct {
	APIVersion string    `json:"apiVersion" want:"lab/v1alpha1" doc:"the version of this format"`
	Kind       string    `json:"kind" want:"Exercise" doc:"what this file is"`
	After      []Item    `json:"after,omitempty" doc:"exercises of the pack to do before this one"`
	Needs      Needs     `json:"needs,omitzero" doc:"what the cluster must have"`
	Namespaces []Item    `json:"namespaces" need:"true" doc:"the namespaces that lab creates; the first is the default"`
	Files      []Item    `json:"files,omitempty" doc:"files and directories that students work with, such as a chart; lab exercise files writes them"`
	Start      []Item    `json:"start,omitempty" doc:"manifests that lab applies in the beginning"`
	Observe    []Probe   `json:"observe" need:"true" doc:"what the checks look at; each name is a variable of their expressions"`
	Checks     []Check   `json:"checks" need:"true" doc:"the conditions of success, in the order in which they are shown"`
	Wrong      []Attempt `json:"wrong" need:"true" doc:"wrong answers, and the hints that they must get"`
	Also       []Attempt `json:"also,omitempty" doc:"other valid solutions"`
}

// Item is a string of a list, with its position.
type Item struct{ strict.Text }

// Needs is what an exercise needs of a cluster.
type Needs struct {
	Nodes int  `json:"nodes,omitempty" max:"100" doc:"the number of nodes"`
	Pods  bool `json:"pods,omitempty" doc:"whether containers must run; without it, checks that need them are skipped where pods are simulated"`

	Addons []Item `json:"addons,omitempty" doc:"the addons; lab installs those that the cluster lacks"`
}

// Probe observes one thing. It has exactly one of Get, List, Logs and HTTP.
type Probe struct {
	Name Item  `json:"name" need:"true" doc:"the variable"`
	Get  Get   `json:"get,omitzero" doc:"one object; an empty map if it does not exist"`
	List List  `json:"list,omitzero" doc:"the objects of a kind, sorted by name"`
	Logs Logs  `json:"logs,omitzero" doc:"the last lines of the logs of pods, as one string"`
	HTTP Query `json:"http,omitzero" doc:"the answer of a Service, as a map with status, body and error"`
}

// Get observes one object.
type Get struct {
	Kind      Item `json:"kind" need:"true" doc:"the kind"`
	Name      Item `json:"name" need:"true" doc:"the name"`
	Namespace Item `json:"namespace,omitzero" doc:"the namespace, if it is not the default of the exercise"`
}

// List observes objects.
type List struct {
	Kind      Item   `json:"kind" need:"true" doc:"the kind"`
	Selector  string `json:"selector,omitempty" doc:"a label selector"`
	Namespace Item   `json:"namespace,omitzero" doc:"the namespace, if it is not the default of the exercise"`
}

// Logs observes the logs of pods.
type Logs struct {
	Selector string `json:"selector" need:"true" doc:"a label selector of pods"`
	Lines    int    `json:"lines,omitempty" max:"1000" doc:"the number of lines per pod; the default is 50"`
}

// Query observes the answer of a Service through the API server.
type Query struct {
	Service string `json:"service" need:"true" doc:"the Service"`
	Port    int    `json:"port" need:"true" max:"65535" doc:"its port"`
	Path    string `json:"path,omitempty" doc:"the path; the default is /"`
}

// Check is one condition of success.
type Check struct {
	ID    Item   `json:"id" need:"true" doc:"the name; the texts have a section ## ID"`
	Pass  Expr   `json:"pass" need:"true" doc:"a CEL expression that is true if the check passes; reading an absent field makes it false"`
	Keep  bool   `json:"keep,omitempty" doc:"the check passes in the beginning, and must not fail later"`
	Pods  bool   `json:"pods,omitempty" doc:"the check needs containers that run; lab skips it where pods are simulated"`
	Found Expr   `json:"found,omitzero" doc:"a CEL expression: the string that shows what was found"`
	Act   Act    `json:"act,omitzero" doc:"a change that lab makes, observes and undoes; afterwards before has the earlier observations"`
	Hints []Hint `json:"hints,omitempty" doc:"hints for a check that fails; the first whose condition is true is chosen"`
}

// Hint is a hint for a check that fails.
type Hint struct {
	ID Item `json:"id" need:"true" doc:"the name; the texts have a section ### ID below that of the check"`
	If Expr `json:"if,omitzero" doc:"a CEL expression that is true if the hint fits; without it, the hint always fits"`
}

// Act is a change of the cluster, and what happens at the same time.
type Act struct {
	Delete   Target   `json:"delete,omitzero" doc:"delete the first object of a kind"`
	Scale    Scale    `json:"scale,omitzero" doc:"change the number of replicas"`
	SetImage SetImage `json:"setImage,omitzero" doc:"change the image of the first container, and wait until it is rolled out"`
	Drain    Drain    `json:"drain,omitzero" doc:"cordon a node, and evict the pods of the exercise from it as far as PodDisruptionBudgets allow"`
	Traffic  Traffic  `json:"traffic,omitzero" doc:"requests that lab sends to a Service meanwhile; the variable traffic has their results; needs containers"`
	Within   Wait     `json:"within,omitempty" doc:"the time in which the check must pass afterwards, such as 30s, which is the default"`
}

// Target selects objects in the default namespace of the exercise.
type Target struct {
	Kind     Item   `json:"kind" need:"true" doc:"the kind"`
	Selector string `json:"selector,omitempty" doc:"a label selector"`
}

// Scale is a number of replicas for a Deployment or StatefulSet.
type Scale struct {
	Kind     Item   `json:"kind" need:"true" doc:"Deployment or StatefulSet"`
	Name     string `json:"name" need:"true" doc:"the name"`
	Replicas int    `json:"replicas" need:"true" max:"10" doc:"the number of replicas"`
}

// SetImage is a new image for a workload.
type SetImage struct {
	Kind  Item `json:"kind" need:"true" doc:"Deployment, StatefulSet or DaemonSet"`
	Name  Item `json:"name" need:"true" doc:"the name"`
	Image Item `json:"image" need:"true" doc:"an image of the pack"`
}

// Drain selects the node to drain.
type Drain struct {
	Selector Item `json:"selector" need:"true" doc:"a label selector of pods; the node of the first of them is drained"`
}

// Traffic is what a load generator sends to a Service in the default namespace of the exercise.
type Traffic struct {
	Service Item   `json:"service" need:"true" doc:"the Service"`
	Port    int    `json:"port,omitempty" max:"65535" doc:"its port; the default is its first one"`
	Path    string `json:"path,omitempty" doc:"the path; the default is /"`
	Rate    int    `json:"rate,omitempty" max:"100" doc:"requests a second; the default is 20"`
	For     Wait   `json:"for,omitempty" doc:"how long requests are sent after the change has ended; the default is 3s"`
}

// Attempt is an answer that a student could give.
type Attempt struct {
	Name  Item   `json:"name" need:"true" doc:"the name in reports"`
	Apply []Item `json:"apply,omitempty" doc:"manifests to apply"`
	Run   []Item `json:"run,omitempty" doc:"kubectl and helm commands to run"`
	Pods  bool   `json:"pods,omitempty" doc:"the answer is different only where containers run; elsewhere verify leaves it out"`
	Check Item   `json:"check,omitzero" doc:"the check that must fail; only for wrong answers"`
	Hint  Item   `json:"hint,omitzero" doc:"the hint that it must get; only for wrong answers"`
}

// Name is a DNS label.
type Name string

const label = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`

// Problem implements [strict.Checked].
func (n Name) Problem() string {
	if !isLabel(string(n)) {
		return "the name \"" + strict.Clip(string(n)) + "\" must consist of a-z, 0-9 and -"
	}
	return ""
}

// Pattern implements [strict.Checked].
func (Name) Pattern() string { return label }

func isLabel(s string) bool { return regexp.MustCompile(label).MatchString(s) }

// Language is the code of a language, such as en.
type Language string

// Problem implements [strict.Checked].
func (l Language) Problem() string {
	if !regexp.MustCompile(l.Pattern()).MatchString(string(l)) {
		return "the language \"" + strict.Clip(string(l)) + "\" must be a code of two letters, such as en"
	}
	return ""
}

// Pattern implements [strict.Checked].
func (Language) Pattern() string { return `^[a-z]{2}$` }

// Wait is a time such as 30s.
type Wait string

const (
	defaultWithin = 30 * time.Second
	defaultTail   = 3 * time.Second // answers that are on their way when a change has ended arrive within it
	maxWithin     = 5 * time.Minute
)

// Problem implements [strict.Checked].
func (w Wait) Problem() string {
	if d, err := time.ParseDuration(string(w)); err != nil || d < time.Second || d > maxWithin {
		return "\"" + strict.Clip(string(w)) + "\" is not a duration between 1s and 5m"
	}
	return ""
}

// Pattern implements [strict.Checked].
func (Wait) Pattern() string { return `^([0-9.]+(m|s))+$` }

// Or returns the time, or another one if it is not set.
func (w Wait) Or(other time.Duration) time.Duration {
	if d, err := time.ParseDuration(string(w)); err == nil {
		return d
	}
	return other
}

// PackSchema returns the JSON schema of pack.yaml.
func PackSchema() ([]byte, error) { return strict.Schema[packFile]("pack.yaml") }

// ExerciseSchema returns the JSON schema of exercise.yaml.
func ExerciseSchema() ([]byte, error) { return strict.Schema[exerciseFile]("exercise.yaml") }
