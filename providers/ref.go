package providers

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Ref identifies one cluster: a later cluster of the same name has another ID and another mark.
// It also says on which engine the cluster is.
type Ref struct {
	Provider string
	Name     string
	ID       string // Cluster.ID; "" if the creation did not get that far
	Mark     string // Spec.Mark
	Engine   Engine // the engine that it is on; zero if the flavor has none, and in old records
}

// Engine identifies a container engine and its address. The zero Engine is the one that the
// tool uses now.
type Engine struct {
	ID       string `json:"id,omitempty"`       // as the engine reports it: docker info
	Context  string `json:"context,omitempty"`  // the name of the docker context; "" if only the host is known
	Host     string `json:"host,omitempty"`     // the endpoint: unix:///var/run/docker.sock
	CertPath string `json:"certPath,omitempty"` // the directory of the TLS certificates; "" if the context has them
}

// IsZero reports whether no engine is named.
func (e Engine) IsZero() bool { return e == Engine{} }

// Owner says who created a cluster.
type Owner int

// OwnerUnknown is never OwnerForeign: a cluster whose mark and ID cannot be read may be lab's, so
// it is neither removed nor forgotten.
const (
	// OwnerUnknown is not OwnerForeign: lab may have created a cluster whose mark and ID cannot
	// be read, so lab neither deletes nor forgets it.
	OwnerUnknown Owner = iota
	OwnerLab
	OwnerForeign
)

// Owner returns who created c, which has the name of ref. The mark decides if both sides have
// one, else the ID. An object that cannot bear a mark, such as a network, belongs to ref,
// because lab has recorded that it created a cluster of this name.
func (r Ref) Owner(c Cluster) Owner {
	is := func(same bool) Owner {
		if same {
			return OwnerLab
		}
		return OwnerForeign
	}
	switch {
	case r.Mark == "" && r.ID == "":
		return OwnerLab // identified by its name alone
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
		return OwnerForeign // a cluster of lab would bear the mark
	}
	return OwnerUnknown
}

// Is reports whether c, which has the name, is certainly the cluster.
func (r Ref) Is(c Cluster) bool { return r.Owner(c) == OwnerLab }

// Check returns nil if c, which has the name, is the cluster; ErrForeign if it is another; and
// ErrUnavailable if that cannot be determined.
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

// EngineUser is implemented by providers whose clusters are on container engines. A machine may
// have several engines, and the tool uses one of them at a time.
type EngineUser interface {
	// Engine returns the engine that the tool uses now, or ErrUnavailable. It returns the
	// zero Engine where a cluster made from spec is on none.
	Engine(ctx context.Context, spec Spec) (Engine, error)

	// ListOn is List for another engine. It returns ErrUnavailable if that engine does not
	// answer.
	ListOn(ctx context.Context, engine Engine) ([]Cluster, error)

	// CheckEngine returns ErrUnavailable if the engine does not answer, or if another engine
	// answers at its address: then the cluster may still exist. For the zero Engine, which
	// means that none was recorded, it returns ErrUnavailable if this machine has several.
	CheckEngine(ctx context.Context, engine Engine) error
}

// Forgetter is implemented by providers that keep temporary files on this machine
// while they create a cluster.
type Forgetter interface {
	// Forget removes these files after an interrupted creation, and ends the processes that it
	// started. It touches no cluster, and does nothing if nothing is left.
	Forget(name string) error
}
