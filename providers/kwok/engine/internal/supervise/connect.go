package supervise

import "fmt"

// connect resolves names. It returns an error for components that could never start or stop.
func connect(components []Component) ([]*unit, error) {
	units := make([]*unit, 0, len(components))
	byName := make(map[string]*unit, len(components))
	for _, c := range components {
		if byName[c.Name] != nil {
			return nil, fmt.Errorf("two components have the name %q", c.Name)
		}
		u := &unit{Component: c, ready: make(chan struct{}), done: make(chan struct{})}
		byName[c.Name] = u
		units = append(units, u)
	}
	for _, u := range units {
		for _, name := range u.Needs {
			needed := byName[name]
			if needed == nil {
				return nil, fmt.Errorf("%s needs %q, which does not exist", u.Name, name)
			}
			u.needs = append(u.needs, needed)
			needed.users = append(needed.users, u)
		}
	}
	return units, refuseCircles(units)
}

// refuseCircles returns an error if units need each other in a circle. It repeatedly removes units that
// need no others; the rest is a circle.
func refuseCircles(units []*unit) error {
	gone := make(map[*unit]bool, len(units))
	for len(gone) < len(units) {
		before := len(gone)
		for _, u := range units {
			if !gone[u] && allIn(gone, u.needs) {
				gone[u] = true
			}
		}
		if len(gone) == before {
			for _, u := range units {
				if !gone[u] {
					return fmt.Errorf("%s needs itself, through %v", u.Name, u.Needs)
				}
			}
		}
	}
	return nil
}

func allIn(set map[*unit]bool, units []*unit) bool {
	for _, u := range units {
		if !set[u] {
			return false
		}
	}
	return true
}
