package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func clusters() *Table {
	table := NewTable("name", "flavor", "state", "nodes", "kubernetes", "context", "age")
	table.Row("lab", "kind", State("running"), 1, "v1.37.2", "kind-lab", "12m")
	table.Row("a-name-as-long-as-they-may-be-32", "minikube", State("stopped"), 3, "v1.36.0", "a-name-as-long-as-they-may-be-32", "2d5h")
	table.Row("东京-实验室", "k3d", State("degraded"), 2, "v1.37.2", "k3d-东京-实验室", "3h20m")
	table.Row("cafe\u0301-e\u0308", "kwok", State("creating"), 1, nil, "kwok-cafe\u0301-e\u0308", "4s")
	table.Row("evil\x1b[2J\nname", "kind", State("strange"), 1, "", "kind-evil", "1m")
	return table
}

func status() *Details {
	details := &Details{}
	details.Add("Name", "shop")
	details.Add("State", State("running"))
	details.Add("Kubernetes", "v1.37.2")
	details.Add("Profile", "")
	details.Add("Kubeconfig", "/home/student/workshop/with/a/long/path/that/must/stay/whole/to/be/copied/shop.kubeconfig")
	details.Add("Expires", "in 3h20m")
	nodes := NewTable("name", "role", "state")
	nodes.Row("shop-control-plane", "control-plane", State("ready"))
	nodes.Row("shop-worker", "worker", State("not ready"))
	details.Section("Nodes", nodes)
	addons := NewTable("name", "version", "state", "url")
	addons.Row("ingress-nginx", "4.15.1", State("ready"), "http://localhost:8080")
	addons.Row("kube-prometheus-stack", "87.1.0", State("failed"), "http://grafana.localhost:8080/dashboards")
	details.Section("Addons", addons)
	details.Section("Images", NewTable("name"))
	return details
}

func page() *Page {
	p := &Page{}
	p.Title("A Service that finds nobody")
	p.Gap()
	p.Markdown("Pods come and go, and each new one has a new address. A **Service** gives them\none name: it has a `selector`, and every ready pod with these labels is a target.\n\n" +
		"- its name is `web`, and its label is `app=web`, which is what the Service looks for\n- create one: `kubectl create configmap answer --from-literal=team=blue`\n\n1. first\n\n```console\n$ kubectl get pods --namespace service --show-labels   # not wrapped\n```\n\nEvil\x1b[2J text.")
	p.Gap()
	p.Result(MarkPassed, "The selector matches")
	p.Result(MarkFailed, "The Service found both pods, which takes a line that is longer than the terminal is wide", "found: app=wbe", "")
	p.Result(MarkSkipped, "Пропущено: контейнеры понарошку")
	p.Result(MarkPending, "Later")
	p.Result(MarkHalf, "Half done")
	p.Line("Check: lab exercise check    Stuck? lab exercise hint")
	return p
}

func TestViews(t *testing.T) {
	t.Parallel()
	for name, view := range map[string]View{"table": clusters(), "details": status(), "page": page(), "empty": NewTable("name")} {
		for _, test := range []struct {
			name  string
			width int
			env   map[string]string
		}{
			{"40", 40, utf8("NO_COLOR", "1")},
			{"80", 80, utf8("NO_COLOR", "1")},
			{"120", 120, utf8("NO_COLOR", "1")},
			{"80-color", 80, utf8()},
			{"80-ascii", 80, map[string]string{"NO_COLOR": "1"}},
			{"12", 12, utf8("NO_COLOR", "1")},
			{"pipe", 0, utf8("COLUMNS", "40")},
			{"pipe-color", 0, utf8("CLICOLOR_FORCE", "1")},
		} {
			t.Run(name+"-"+test.name, func(t *testing.T) {
				t.Parallel()
				streams, stdout, _ := Test(test.width, test.env)
				if err := PrintView(streams.Out, view); err != nil {
					t.Fatal(err)
				}
				if name == "empty" {
					if stdout.Len() > 0 {
						t.Errorf("an empty table prints %q", stdout)
					}
					return
				}
				golden(t, name+"-"+test.name+".golden", stdout.String())
			})
		}
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	type node struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
	}
	object := struct {
		APIVersion string  `json:"apiVersion"`
		Kind       string  `json:"kind"`
		URL        string  `json:"url"`
		Expires    *string `json:"expiresAt"`
		Nodes      []node  `json:"nodes"`
	}{apiVersion, "Cluster", "http://localhost/?a=b&c=<d>", nil, []node{{"lab-control-plane", true}}}

	for _, format := range []Format{FormatJSON, FormatYAML, FormatTable} {
		t.Run(string(format), func(t *testing.T) {
			streams, stdout, _ := Test(0, nil)
			err := Print(streams.Out, format, object, func() View {
				table := NewTable("name")
				table.Row("lab")
				return table
			})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "print-"+string(format)+".golden", stdout.String())
		})
	}
}

func TestPrintReturnsErrors(t *testing.T) {
	t.Parallel()
	full := newStream(fullDisk{}, nil, lookupIn(nil))
	view := func() View { return clusters() }
	for _, format := range []Format{FormatJSON, FormatYAML, FormatTable} {
		if err := Print(full, format, "x", view); !errors.Is(err, errTest) {
			t.Errorf("%s on a full disk: %v", format, err)
		}
		streams, _, _ := Test(0, nil)
		if err := Print(streams.Out, format, make(chan int), view); format != FormatTable && err == nil {
			t.Errorf("%s of a channel: no error", format)
		}
	}
}

func TestFlagValues(t *testing.T) {
	t.Parallel()
	format, mode := FormatTable, ModeAuto
	for _, test := range []struct {
		flag interface {
			fmt.Stringer
			Set(string) error
			Type() string
		}
		wrong string
	}{{&format, "jsn"}, {&mode, "TTY"}} {
		before := test.flag.String()
		err := test.flag.Set(test.wrong)
		if !errors.Is(err, fault.ErrInvalid) || test.flag.String() != before {
			t.Errorf("Set(%q) = %v and leaves %s; want ErrInvalid and %s", test.wrong, err, test.flag, before)
		}
		for choice := range strings.SplitSeq(test.flag.Type(), "|") {
			if err := test.flag.Set(choice); err != nil || test.flag.String() != choice {
				t.Errorf("Set(%q) = %v and leaves %s", choice, err, test.flag)
			}
			if !strings.Contains(err.Error(), choice) {
				t.Errorf("%q does not name %s", err, choice)
			}
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errTest }

// TestTableAligns checks that the width of a column is the displayed width of its widest cell,
// and that no row ends with spaces.
func TestTableAligns(t *testing.T) {
	t.Parallel()
	table := NewTable("name", "age", "note")
	table.Row("东京", "3h", "")
	table.Row("cafe\u0301", "4s", "new")
	streams, stdout, _ := Test(0, nil)
	if err := PrintView(streams.Out, table); err != nil {
		t.Fatal(err)
	}
	want := "NAME  AGE  NOTE\n东京  3h\ncafe\u0301  4s   new\n"
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestURLsAreRedacted checks that all output has URLs without user name and password, even if
// they are cut.
func TestURLsAreRedacted(t *testing.T) {
	t.Parallel()
	const url = "https://robot:S3cretS3cretS3cretS3cretS3cretS3cretS3cretS3cret@host/path"
	for _, width := range []int{0, 40} {
		streams, stdout, stderr := Test(width, nil)
		for _, mode := range []Mode{ModePlain, ModeJSON, ModeTTY} {
			p := NewProgress(streams, mode, ProgressOptions{})
			p.Report(event.Event{Step: "Asking " + url, State: event.Started})
			p.Report(event.Event{Step: "Asking " + url, State: event.Progress, Message: url})
			p.Report(event.Event{Step: "Asking " + url, State: event.Failed, Message: url})
			p.Warn("%s", url)
			p.Note("%s", url)
			p.Close()
		}
		for _, json := range []bool{false, true} {
			RenderError(streams, fault.WithHint(fault.Errorf(fault.ErrInvalid, "Get %q: no", url), "ask %s", url), ErrorOptions{JSON: json})
		}
		table, details := NewTable("name", "what"), &Details{}
		table.Row("x", url)
		details.Add("Where", url)
		for _, format := range []Format{FormatTable, FormatJSON, FormatYAML} {
			for _, view := range []View{table, details} {
				if err := Print(streams.Out, format, map[string]string{"where": url}, func() View { return view }); err != nil {
					t.Error(err)
				}
			}
		}
		for _, text := range []string{stdout.String(), stderr.String()} {
			if strings.Contains(text, "robot") || strings.Contains(text, "S3cret") || !strings.Contains(text, "https://***@host") {
				t.Errorf("%d columns:\n%s", width, text)
			}
		}
	}
}
