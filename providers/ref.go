package providers

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Ref names one cluster for good: a later cluster of the same name has another ID, and
// another mark. It also says on which engine the cluster is.
type Ref struct {
	Provider string
	Name     string
	ID       string // as Cluster.ID; "" where creation never got so far
	Mark     string // as Spec.Mark
	Engine   Engine // that it is on; zero where the flavor has none, and in old records
}

// Engine says where a container engine is, and which one it is. The zero Engine is the
// one that the tool uses now.
type Engine struct {
	ID       string `json:"id,omitempty"`       // as the engine reports it: docker info
	Context  string `json:"context,omitempty"`  // the name of the docker context; "" where the host alone is known
	Host     string `json:"host,omitempty"`     // the endpoint: unix:///var/run/docker.sock
	CertPath string `json:"certPath,omitempty"` // the directory of the TLS certificates; "" where the context has them
}

// IsZero reports whether no engine is named.
func (e Engine) IsZero() bool { return e == Engine{} }

// Owner says whose a cluster is.
type Owner int

// OwnerUnknown is never OwnerForeign: a cluster whose mark and ID cannot be read may be lab's, so
// it is neither removed nor forgotten.
const (
	OwnerUnknown Owner = iota
	OwnerLab
	OwnerForeign
)

// Owner says whether c, which has the name, is the cluster. The mark decides where both
// sides have one, and the ID where one side has no mark. Something that cannot bear a
// mark, such as a network, is the cluster's, because lab remembers that it created one of
// this name.
func (r Ref) Owner(c Cluster) Owner {
	is := func(same bool) Owner {
		if same {
			return OwnerLab
		}
		return OwnerForeign
	}
	switch {
	case r.Mark == "" && r.ID == "":
		return OwnerLab // named by its name alone
	case r.Mark != "" && c.Mark != "":
		return is(r.Mark == c.Mark)
	case r.ID != "" && r.ID == c.ID:
		return OwnerLab
	case c.Unread:
		return OwnerUnknown
	case r.ID != "" && c.ID != "":
		return OwnerForeign
	case c.Bare:
		return OwnerLab
	case r.Mark != "":
		return OwnerForeign // lab's would bear the mark
	}
	return OwnerUnknown
}

// Is reports whether c, which has the name, is surely the cluster.
func (r Ref) Is(c Cluster) bool { return r.Owner(c) == OwnerLab }

// Check returns nil where c, which has the name, is the cluster, ErrForeign where it is
// another, and ErrUnavailable where that cannot be told.
func (r Ref) Check(c Cluster) error {
	switch r.Owner(c) {
	case OwnerLab:
		return nil
	case OwnerForeign:
		return fault.WithHint(
			fault.Errorf(fault.ErrForeign, "the existing cluster of this name is not the one that lab created"),
			"another program created the existing cluster, so lab does not change it; to remove the record of the old one: lab down %s", r.Name)
	}
	why := "cannot read its mark or its ID"
	if c.Reason != "" {
		why += ": " + c.Reason
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "cannot determine whether lab created the cluster of this name: %s", why),
		"lab keeps the cluster and its record; delete the cluster yourself, then run: lab down %s --forget", r.Name)
}

// EngineUser is implemented by providers whose clusters are on container engines. A
// machine may know several engines, and the tool uses one of them at a time.
type EngineUser interface {
	// Engine returns the engine that the tool uses now, or ErrUnavailable. It returns the
	// zero Engine where a cluster made from spec is on none.
	Engine(ctx context.Context, spec Spec) (Engine, error)

	// ListOn is List of another engine. It returns ErrUnavailable where that does not
	// answer.
	ListOn(ctx context.Context, engine Engine) ([]Cluster, error)

	// CheckEngine returns ErrUnavailable where the engine does not answer, or where another
	// engine answers in its place: what that one does not have may still exist. Of the zero
	// Engine, where none was recorded, it does so where this machine knows several.
	CheckEngine(ctx context.Context, engine Engine) error
}

// Forgetter is implemented by providers that keep something of their own on this machine
// while they make a cluster.
type Forgetter interface {
	// Forget removes what a creation that was cut short left of that, and ends what it
	// started. It touches no cluster, and does nothing where there is nothing.
	Forget(name string) error
}
