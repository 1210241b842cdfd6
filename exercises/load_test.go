package exercises_test

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	packText = `apiVersion: lab/v1alpha1
kind: Pack
name: small
languages: [en, ru]
images: [web:v1]
exercises: [one]
`
	exerciseText = `apiVersion: lab/v1alpha1
kind: Exercise
namespaces: [one]
start: [start.yaml]
observe:
  - {name: web, get: {kind: Deployment, name: web}}
checks:
  - id: replicas
    pass: web.spec.replicas == 2
    hints:
      - {id: more, if: web.spec.replicas < 2}
      - {id: fewer}
wrong:
  - {name: none, run: [kubectl scale deployment web --replicas=0], check: replicas, hint: more}
  - {name: many, run: [kubectl scale deployment web --replicas=3], check: replicas, hint: fewer}
`
	startText = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`
	textText = "# Title\n\nTask.\n\n```console\n$ kubectl get pods\n```\n\n## replicas\n\nTwo replicas\n\n### more\n\nMore.\n---\nTwo.\n\n### fewer\n\nFewer.\n\n" +
		"## solution\n\n```console\n$ kubectl scale deployment web --replicas=2\n```\n\n## done\n\nGood.\n"
)

// smallPack returns the files of a valid pack.
func smallPack() map[string]string {
	return map[string]string{
		"pack.yaml": packText, "one/exercise.yaml": exerciseText, "one/start.yaml": startText, "one/en.md": textText, "one/ru.md": textText,
	}
}

// load loads a pack from its files.
func load(files map[string]string) (*exercises.Pack, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return exercises.Load(fsys, "small")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	pack, err := load(smallPack())
	if err != nil {
		t.Fatal(err)
	}
	e, err := pack.Get("one")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Solution) != 1 || len(e.Shown) != 1 || len(e.Wrong) != 2 || len(e.Start) != 1 {
		t.Errorf("%d solution steps, %d shown commands, %d wrong answers, %d objects", len(e.Solution), len(e.Shown), len(e.Wrong), len(e.Start))
	}
	if e.Hints() != 2 || len(e.UnprovenHints()) > 0 {
		t.Errorf("of %d hints, %q are unproven", e.Hints(), e.UnprovenHints())
	}
	if got := e.Texts["ru"].Checks["replicas"].Hints["more"]; len(got) != 2 || got[1] != "Two." {
		t.Errorf("the steps of the hint are %q", got)
	}
	if _, err := pack.Get("onne"); !errors.Is(err, fault.ErrNotFound) || fault.HintOf(err) != "did you mean one?" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
}

// TestLoadFiles checks that helm commands may name the files of an exercise.
func TestLoadFiles(t *testing.T) {
	t.Parallel()
	files := smallPack()
	files["one/chart/Chart.yaml"], files["one/chart/templates/a.yaml"], files["one/more.yaml"] = "name: chart", "a: {{ .b }}", "c: d"
	files["one/exercise.yaml"] = strings.NewReplacer("start: [", "files: [chart, more.yaml]\nstart: [",
		"kubectl scale deployment web --replicas=0", "helm upgrade --install web ./chart --set replicas=0 -f more.yaml").Replace(exerciseText)
	pack, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	e := pack.Exercises[0]
	var paths []string
	for _, f := range e.Files {
		paths = append(paths, f.Path+": "+string(f.Data))
	}
	if want := "chart/Chart.yaml: name: chart|chart/templates/a.yaml: a: {{ .b }}|more.yaml: c: d"; strings.Join(paths, "|") != want {
		t.Errorf("files %q, want %q", paths, want)
	}
	if got := strings.Join(e.Wrong[0].Steps[0].Helm, " "); got != "upgrade --install web ./chart --set replicas=0 -f more.yaml" {
		t.Errorf("the command is %q", got)
	}
}

// TestLoadRejects checks that each mistake in a pack is reported with its position and a fix.
func TestLoadRejects(t *testing.T) {
	t.Parallel()
	const exercise, start, pack, en, ru = "one/exercise.yaml", "one/start.yaml", "pack.yaml", "one/en.md", "one/ru.md"
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d]\n"
	for name, test := range map[string]struct{ file, old, new, want string }{
		"unknown key":            {exercise, "start: [", "strat: [", `small/one/exercise.yaml:4:1: unknown key "strat"; did you mean start?`},
		"wrong CEL":              {exercise, "replicas == 2", "replicas = 2", "small/one/exercise.yaml:9:29: invalid CEL: Syntax error"},
		"unknown variable":       {exercise, "web.spec.replicas == 2", "wbe.spec.replicas == 2", "small/one/exercise.yaml:9:11: invalid CEL: undeclared reference to 'wbe'"},
		"not a condition":        {exercise, "web.spec.replicas == 2", "string(web.spec)", "small/one/exercise.yaml:9:11: the expression must be a bool, not a string"},
		"long expression":        {exercise, "web.spec.replicas == 2", "true" + strings.Repeat(" || true", 1000), "small/one/exercise.yaml:9:11: invalid CEL: expression code point size exceeds limit"},
		"unknown kind":           {exercise, "{kind: Deployment,", "{kind: Deploymnet,", `small/one/exercise.yaml:6:29: unknown kind "Deploymnet": did you mean Deployment?`},
		"path outside":           {exercise, "[start.yaml]", "[../one/start.yaml]", `small/one/exercise.yaml:4:9: "../one/start.yaml" leads outside the directory`},
		"absolute path":          {exercise, "[start.yaml]", "[/etc/passwd]", `small/one/exercise.yaml:4:9: "/etc/passwd" leads outside the directory`},
		"missing file":           {exercise, "[start.yaml]", "[strat.yaml]", "small/one/exercise.yaml:4:9: cannot read one/strat.yaml: file does not exist"},
		"no such check":          {exercise, "check: replicas, hint: more", "check: replica, hint: more", `small/one/exercise.yaml:14:75: the check "replica" that the wrong answer must fail does not exist`},
		"no such hint":           {exercise, "hint: more}", "hint: moar}", `small/one/exercise.yaml:14:91: the check replicas has no hint "moar"`},
		"hint without condition": {exercise, ", if: web.spec.replicas < 2", "", "small/one/exercise.yaml:11:14: the last hint of a check, and only the last, has no if"},
		"shell":                  {exercise, "--replicas=0]", "--replicas=0 > /tmp/x]", "small/one/exercise.yaml:14:24: '>' needs a shell"},
		"reads files":            {exercise, "kubectl scale deployment web --replicas=0", "kubectl create configmap x --from-file=/etc/passwd", "the flag --from-file is not allowed"},
		"reads files by letters": {exercise, "kubectl scale deployment web --replicas=0", "kubectl create -f/etc/passwd", "is not allowed: it reads files"},
		"another namespace":      {exercise, "kubectl scale deployment web --replicas=0", "kubectl scale deployment web -n kube-system --replicas=0", `namespace "kube-system" does not belong to the exercise`},
		"verb":                   {exercise, "kubectl scale deployment web --replicas=0", "kubectl exec web -- sh", "kubectl exec is not allowed here"},
		"nodes":                  {exercise, "kubectl scale deployment web --replicas=0", "kubectl label node/lab-worker a=b", "node/lab-worker is not in a namespace"},
		"image in a command":     {exercise, "kubectl scale deployment web --replicas=0", "kubectl run x --image=evil", `the image "evil" is not declared`},
		"system namespace":       {exercise, "namespaces: [one]", "namespaces: [kube-system]", "small/one/exercise.yaml:3:14: namespace kube-system belongs to Kubernetes"},
		"addon":                  {exercise, "namespaces: [one]", "namespaces: [one]\nneeds: {addons: [Metrics]}", `small/one/exercise.yaml:4:18: the name "Metrics" must consist of`},
		"addon twice":            {exercise, "namespaces: [one]", "namespaces: [one]\nneeds: {addons: [hello, hello]}", "small/one/exercise.yaml:4:25: duplicate addon hello"},
		"drain of the only node": {exercise, "    hints:\n", "    act: {drain: {selector: app=web}}\n    hints:\n", "small/one/exercise.yaml:10:29: drain needs another node for the pods; set nodes to 2 or more under needs"},
		"image of an act":        {exercise, "    hints:\n", "    act: {setImage: {kind: Deployment, name: web, image: evil}}\n    hints:\n", `the image "evil" is not declared`},
		"image of a Service":     {exercise, "    hints:\n", "    act: {setImage: {kind: Service, name: web, image: web:v1}}\n    hints:\n", `unknown kind "Service": use one of Deployment, StatefulSet, DaemonSet`},
		"two acts":               {exercise, "    hints:\n", "    act: {drain: {selector: app=web}, delete: {kind: Pod}}\n    hints:\n", "an act must have exactly one of delete, scale, setImage and drain"},
		"traffic without act":    {exercise, "web.spec.replicas == 2", "traffic.failed == 0", "invalid CEL: undeclared reference to 'traffic'"},
		"one wrong answer":       {exercise, "  - {name: many, run: [kubectl scale deployment web --replicas=3], check: replicas, hint: fewer}\n", "", "the exercise has 1 wrong answers; write at least two"},
		"helm verb":              {exercise, "kubectl scale deployment web --replicas=0", "helm repo add x https://x", "helm repo is not allowed here; use one of get, history,"},
		"helm flag":              {exercise, "kubectl scale deployment web --replicas=0", "helm install web chart --kubeconfig x", "the flag --kubeconfig of helm is not allowed"},
		"helm flag joined":       {exercise, "kubectl scale deployment web --replicas=0", "helm install web chart --post-renderer=sh", "the flag --post-renderer of helm is not allowed"},
		"helm namespace":         {exercise, "kubectl scale deployment web --replicas=0", "helm install web chart --namespace kube-system", `namespace "kube-system" does not belong to the exercise`},
		"chart outside":          {exercise, "kubectl scale deployment web --replicas=0", "helm install web ../chart", `"../chart" is not a file or directory of the exercise`},
		"chart of a registry":    {exercise, "kubectl scale deployment web --replicas=0", "helm install web oci://x/y", `"oci://x/y" is not a file or directory of the exercise`},
		"chart after a value":    {exercise, "kubectl scale deployment web --replicas=0", "helm upgrade web --set a=b ./other", `"./other" is not a file or directory of the exercise`},
		"values of the machine":  {exercise, "kubectl scale deployment web --replicas=0", "helm install web chart -f start.yaml", `"start.yaml" is not a file of the exercise`},
		"task that installs":     {en, "kubectl get pods", "helm install web chart", "small/one/en.md:6:3: helm install is not allowed here"},
		"files outside":          {exercise, "start: [", "files: [../one]\nstart: [", `small/one/exercise.yaml:4:9: "../one" leads outside the directory`},
		"missing files":          {exercise, "start: [", "files: [chart]\nstart: [", "small/one/exercise.yaml:4:9: cannot read chart: file does not exist"},
		"two observations":       {exercise, "name: web}}\nchecks", "name: web}, list: {kind: Pod}}\nchecks", "must have exactly one of get, list, logs and http"},
		"undeclared image":       {start, "web:v1", "web:v2", `small/one/start.yaml:1:1: the image "web:v2" is not declared; add it to images in pack.yaml`},
		"cluster-scoped":         {start, "apiVersion: apps/v1\nkind: Deployment", "apiVersion: v1\nkind: Node", "small/one/start.yaml:1:1: a Node is not in a namespace"},
		"unknown object":         {start, "kind: Deployment", "kind: ClusterRole", `small/one/start.yaml:1:1: unknown kind "ClusterRole"`},
		"object elsewhere":       {start, "{name: web}", "{name: web, namespace: kube-system}", `small/one/start.yaml:1:1: namespace "kube-system" does not belong to the exercise`},
		"alias bomb":             {start, startText, bomb, "small/one/start.yaml:1:1: the manifest is too large"},
		"invalid YAML":           {start, "metadata: {name: web}", "metadata: {name: web", "small/one/start.yaml:"},
		"too large":              {start, startText, strings.Repeat("# long\n", 50_000), "is larger than 256 kB"},
		"no exercise":            {pack, "[one]", "[one, two]", "cannot read two/exercise.yaml: file does not exist"},
		"duplicate exercise":     {pack, "[one]", "[one, one]", "small/pack.yaml:6:18: duplicate exercise one"},
		"exercise outside":       {pack, "[one]", "[../one]", "small/pack.yaml:6:13: the name \"../one\" must consist of a-z, 0-9 and -"},
		"language":               {pack, "[en, ru]", "[en, ru, de]", "cannot read one/de.md: file does not exist"},
		"missing section":        {ru, "## done\n\nGood.\n", "", `small/one/ru.md:29:1: the section "done" is missing or empty; write: ## done`},
		"missing hint":           {ru, "### fewer\n\nFewer.\n", "", `the section "replicas/fewer" is missing or empty; write: ### fewer`},
		"unknown section":        {ru, "## done", "## finished\n\nx\n\n## done", `small/one/ru.md:29:1: exercise.yaml has no check "finished"`},
		"another command":        {ru, "--replicas=2", "--replicas=3", "small/one/ru.md:26:1: the block differs from small/one/en.md:26"},
		"task that changes":      {en, "kubectl get pods", "kubectl delete pods", "small/one/en.md:6:3: kubectl delete is not allowed here"},
		"no title":               {en, "# Title", "Title", "small/one/en.md:1:1: the text must start with a title: # TITLE"},
		"open block":             {en, "--replicas=2\n```", "--replicas=2", "the block is not closed"},
		"no solution":            {en, "```console\n$ kubectl scale deployment web --replicas=2\n```", "Think.", "has no ```console or ```yaml block"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := smallPack()
			if !strings.Contains(files[test.file], test.old) {
				t.Fatalf("%s does not contain %q", test.file, test.old)
			}
			files[test.file] = strings.Replace(files[test.file], test.old, test.new, 1)
			_, err := load(files)
			var problems strict.Problems
			if !errors.As(err, &problems) || !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
				t.Fatalf("error %v, want problems with a hint", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got:\n%v\nwant %q", err, test.want)
			}
		})
	}
}

// TestLoadRejectsCycle checks that exercises that must be done after each other are reported.
func TestLoadRejectsCycle(t *testing.T) {
	t.Parallel()
	files := smallPack()
	maps.Copy(files, map[string]string{
		"pack.yaml":         strings.Replace(packText, "[one]", "[one, two]", 1),
		"one/exercise.yaml": strings.Replace(exerciseText, "start:", "after: [two]\nstart:", 1),
		"two/exercise.yaml": strings.Replace(exerciseText, "namespaces: [one]", "namespaces: [two]\nafter: [one]", 1),
		"two/start.yaml":    startText, "two/en.md": textText, "two/ru.md": textText,
	})
	_, err := load(files)
	const want = "small/one/exercise.yaml:4:9: exercises are after each other in a cycle: one -> two -> one"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got:\n%v\nwant %q", err, want)
	}
	files["two/exercise.yaml"] = strings.Replace(files["two/exercise.yaml"], "namespaces: [two]", "namespaces: [one]", 1)
	if _, err := load(files); err == nil || !strings.Contains(err.Error(), "namespace one belongs to the exercise one; use another name") {
		t.Errorf("a namespace of two exercises: %v", err)
	}
}

// TestLoadKeepsInside checks that a link cannot lead outside the directory of a pack.
func TestLoadKeepsInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range smallPack() {
		if err := os.MkdirAll(dir+"/pack/one", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/pack/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(dir+"/pack/one/start.yaml", dir+"/outside.yaml"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../outside.yaml", dir+"/pack/one/start.yaml"); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir + "/pack")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	if _, err := exercises.Load(root.FS(), "small"); err == nil || !strings.Contains(err.Error(), "cannot read one/start.yaml") {
		t.Errorf("error %v, want one about start.yaml", err)
	}
}
