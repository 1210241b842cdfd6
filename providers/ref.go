package providers

// Ref names one cluster for good: a later cluster of the same name has another ID, and
// another mark.
type Ref struct {
	Provider string
	Name     string
	ID       string // as Cluster.ID; "" where creation never got so far
	Mark     string // as Spec.Mark
}

// Is tells whether c, which has the name, is the cluster. It is known by its ID; one whose
// creation never got so far by its mark, if it has anything that could bear one, and by
// its name alone where there is nothing else to go by.
func (r Ref) Is(c Cluster) bool {
	switch {
	case r.ID != "":
		return c.ID == r.ID
	case r.Mark != "":
		return c.Mark == r.Mark || c.Bare
	}
	return true
}

// Forgetter is implemented by providers that keep something of their own on this machine
// while they make a cluster.
type Forgetter interface {
	// Forget removes what a creation that was cut short left of that, and ends what it
	// started. It touches no cluster, and does nothing where there is nothing.
	Forget(name string) error
}
