package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Diagnosis is the result of [Lab.Doctor].
type Diagnosis struct {
	Meta
	Blocked bool             `json:"blocked"` // something keeps lab from making clusters
	Items   []doctor.Finding `json:"items"`

	unreadable bool // lab cannot read which clusters there are
}

// Doctor looks at the machine, at what lab itself keeps there, and at whether a flavor can
// be used. It returns ctx's error only.
func (l *Lab) Doctor(ctx context.Context) (Diagnosis, error) {
	d := Diagnosis{Meta: Meta{APIVersion, "Diagnosis"}}
	d.Items = append(d.Items, l.usable(ctx))
	d.Items = append(d.Items, l.Machine.Examine(ctx)...)
	_, problems := l.State.List()
	d.unreadable = errors.Is(problems, ErrUnreadable)
	d.Items = append(d.Items, l.configHealth(), stateHealth(problems), l.kubeconfigHealth(), l.leftovers(ctx))
	for _, f := range d.Items {
		d.Blocked = d.Blocked || f.Level == doctor.Blocking
	}
	return d, ctx.Err()
}

// Healthy returns nil where nothing keeps lab from making clusters, else an error that
// names what does.
func (d Diagnosis) Healthy() error {
	var checks []string
	for _, f := range d.Items {
		if f.Level == doctor.Blocking {
			checks = append(checks, f.Check)
		}
	}
	if len(checks) == 0 {
		return nil
	}
	err := errors.New("this keeps lab from creating clusters: " + strings.Join(checks, ", "))
	if d.unreadable {
		err = fault.Errorf(fault.ErrUnavailable, "%w", err)
	}
	return fault.WithHint(err, "what is said above mends it; then lab doctor again")
}

func (l *Lab) usable(ctx context.Context) doctor.Finding {
	list, _ := l.Flavors(ctx) // whose error is ctx's
	var names []string
	f := doctor.Finding{Check: "flavors", Level: doctor.Blocking, Found: "none can be used", Why: "without one, there is no cluster"}
	for _, flavor := range list.Items {
		if flavor.Usable {
			names = append(names, flavor.Name)
		} else if f.Mend == "" {
			f.Mend = flavor.Hint
		}
	}
	if len(names) == 0 {
		return f
	}
	return doctor.Finding{Check: "flavors", Level: doctor.OK, Found: strings.Join(names, ", ") + " can be used"}
}

func (l *Lab) configHealth() doctor.Finding {
	err := l.Misconfigured
	if err == nil {
		return doctor.Finding{Check: "your configuration", Level: doctor.OK, Found: "understood"}
	}
	return doctor.Finding{Check: "your configuration", Level: doctor.Blocking, Found: firstLine(err), Mend: fault.HintOf(err),
		Why: "lab does nothing as long as it does not know what you want"}
}

// stateHealth is about the problems of reading lab's records.
func stateHealth(err error) doctor.Finding {
	f := doctor.Finding{Check: "lab's records", Level: doctor.OK, Found: "readable"}
	if err != nil {
		f.Level, f.Found, f.Mend = doctor.Blocking, firstLine(err), fault.HintOf(err)
		f.Why = "lab does not touch what it cannot read"
		if !errors.Is(err, fault.ErrUnavailable) {
			f.Level = doctor.Warning // one record only
		}
	}
	return f
}

// kubeconfigHealth looks at the files that kubectl would use.
func (l *Lab) kubeconfigHealth() doctor.Finding {
	f := doctor.Finding{Check: "kubeconfig", Level: doctor.OK, Found: "none yet"}
	if err := l.Kubeconfig.Check(providers.Entries{}, "", ""); err != nil {
		return doctor.Finding{Check: f.Check, Level: doctor.Warning,
			Found: strings.ReplaceAll(err.Error(), "\n", "; "), Mend: strings.ReplaceAll(fault.HintOf(err), "\n", "; "),
			Why: "lab up cannot add the entry of a cluster, unless it is called with --no-kubeconfig"}
	}
	current, err := l.Kubeconfig.Current()
	if err == nil && current != "" {
		f.Found = "usable; the current context is " + current
	}
	for _, path := range l.Kubeconfig.Paths {
		info, err := os.Stat(path)
		if err == nil && l.Machine.OS != "windows" && info.Mode().Perm()&0o077 != 0 {
			f.Level, f.Found = doctor.Warning, fmt.Sprintf("%s has mode %04o", path, info.Mode().Perm())
			f.Why, f.Mend = "it holds keys, and others on this machine can read it", "chmod 600 "+path
		}
	}
	return f
}

// leftovers finds what labs before have left.
func (l *Lab) leftovers(ctx context.Context) doctor.Finding {
	f := doctor.Finding{Check: "leftovers", Level: doctor.OK, Found: "none"}
	due, problems := l.Due()
	if errors.Is(problems, ErrUnreadable) {
		return doctor.Finding{Check: f.Check, Level: doctor.Warning, Found: "unknown: lab cannot read its records"}
	}
	if len(due) > 0 {
		return doctor.Finding{Check: f.Check, Level: doctor.Warning, Found: strings.Join(due, ", "),
			Why: "they have expired, or lab was killed while it created or deleted them; they use memory", Mend: "lab gc"}
	}
	list, _ := l.List(ctx, false)
	for _, c := range list.Items {
		if c.State == providers.StateDegraded || c.State == providers.StateUnknown {
			f.Level, f.Found = doctor.Warning, fmt.Sprintf("%s is %s: %s", c.Name, c.State, c.Reason)
			f.Why, f.Mend = "it uses memory, and does not work", cmp.Or(c.Hint, "lab down "+c.Name)
		}
	}
	return f
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
