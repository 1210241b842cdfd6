// Package machine examines the machine that lab runs on, and installs the tools that people use with a
// cluster.
package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Doctor finds what keeps lab from creating clusters on this machine.
type Doctor struct {
	Machine       doctor.Machine
	Inventory     *inventory.Inventory
	Expiry        *clusters.Expiry
	Kubeconfig    kubeconfig.Files
	Misconfigured error // why the user's configuration cannot be used
}

// Diagnosis is the result of [Doctor.Examine].
type Diagnosis struct {
	output.Meta
	Blocked bool             `json:"blocked"` // lab cannot create clusters
	Items   []doctor.Finding `json:"items"`

	unreadable bool // lab cannot read which clusters exist
}

// Examine examines the machine, the files of lab, and whether a flavor is usable. It returns only the
// error of ctx.
func (d *Doctor) Examine(ctx context.Context) (Diagnosis, error) {
	all := Diagnosis{Meta: output.NewMeta("Diagnosis")}
	all.Items = append(all.Items, d.flavors(ctx))
	all.Items = append(all.Items, d.Machine.Examine(ctx)...)
	_, problems := d.Inventory.State.List()
	all.unreadable = errors.Is(problems, inventory.ErrUnreadable)
	all.Items = append(all.Items, d.configuration(), records(problems), d.kubeconfig(ctx), d.leftovers(ctx))
	for _, f := range all.Items {
		all.Blocked = all.Blocked || f.Level == doctor.Blocking
	}
	return all, ctx.Err()
}

// Healthy returns nil if lab can create clusters, else an error that names the failed checks.
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
	err := errors.New("lab cannot create clusters; failed checks: " + strings.Join(checks, ", "))
	if d.unreadable {
		err = fault.Errorf(fault.ErrUnavailable, "%w", err)
	}
	return fault.WithHint(err, "apply the fixes above; then run lab doctor again")
}

func (d *Doctor) flavors(ctx context.Context) doctor.Finding {
	list, _ := Flavors(ctx, d.Inventory.Set) // Examine returns the error of ctx
	var names []string
	f := doctor.Finding{Check: "flavors", Level: doctor.Blocking, Found: "none is usable", Why: "lab cannot create a cluster without a flavor"}
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

func (d *Doctor) configuration() doctor.Finding {
	err := d.Misconfigured
	if err == nil {
		return doctor.Finding{Check: "your configuration", Level: doctor.OK, Found: "valid"}
	}
	f := doctor.Finding{Check: "your configuration", Level: doctor.Blocking, Found: fault.FirstLine(err), Why: "lab does nothing while its configuration is not valid"}
	f.Mend = fault.HintOf(err)
	return f
}

// records returns the finding on the problems of reading lab's records.
func records(problems error) doctor.Finding {
	f := doctor.Finding{Check: "lab's records", Level: doctor.OK, Found: "readable"}
	if problems == nil {
		return f
	}
	f.Level, f.Found, f.Mend = doctor.Blocking, fault.FirstLine(problems), fault.HintOf(problems)
	f.Why = "lab does not change clusters whose records it cannot read"
	if !errors.Is(problems, fault.ErrUnavailable) {
		f.Level = doctor.Warning // only single records cannot be read
	}
	return f
}

// kubeconfig examines the files that kubectl would use.
func (d *Doctor) kubeconfig(ctx context.Context) doctor.Finding {
	f := doctor.Finding{Check: "kubeconfig", Level: doctor.OK, Found: "none yet"}
	if err := d.Kubeconfig.Check(ctx, providers.Entries{}, "", ""); err != nil {
		f.Level, f.Found = doctor.Warning, strings.ReplaceAll(err.Error(), "\n", "; ")
		f.Why, f.Mend = "lab up cannot add the entry of a cluster: it fails without --no-kubeconfig", strings.ReplaceAll(fault.HintOf(err), "\n", "; ")
		return f
	}
	current, err := d.Kubeconfig.Current()
	if err == nil && current != "" {
		f.Found = "usable; the current context is " + current
	}
	for _, path := range d.Kubeconfig.Paths {
		info, err := os.Stat(path)
		if err == nil && d.Machine.OS != "windows" && info.Mode().Perm()&0o077 != 0 {
			f.Level, f.Found = doctor.Warning, fmt.Sprintf("%s has mode %04o", path, info.Mode().Perm())
			f.Why, f.Mend = "it contains keys, and other users of this machine can read it", "chmod 600 "+path
		}
	}
	return f
}

// leftovers finds clusters that are due and clusters that do not work.
func (d *Doctor) leftovers(ctx context.Context) doctor.Finding {
	f := doctor.Finding{Check: "leftovers", Level: doctor.OK, Found: "none"}
	due, problems := d.Expiry.Due()
	if errors.Is(problems, inventory.ErrUnreadable) {
		return doctor.Finding{Check: f.Check, Level: doctor.Warning, Found: "unknown: lab cannot read its records"}
	}
	if len(due) > 0 {
		f.Level, f.Found = doctor.Warning, strings.Join(due, ", ")
		f.Why, f.Mend = "they have expired, or lab was killed while it created or deleted them; they use memory", "lab gc"
		return f
	}
	list, _ := d.Inventory.List(ctx, false)
	for _, c := range list.Items {
		if c.State == providers.StateDegraded || c.State == providers.StateUnknown {
			f.Level, f.Found = doctor.Warning, fmt.Sprintf("%s is %s: %s", c.Name, c.State, c.Reason)
			f.Why, f.Mend = "it uses memory and does not work", cmp.Or(c.Hint, "lab down "+c.Name)
		}
	}
	return f
}
