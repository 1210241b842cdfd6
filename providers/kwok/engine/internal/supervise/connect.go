package supervise

import "fmt"

// connect turns names into links, and refuses what could never start or stop.
func connect(components []Component) ([]*unit, error) {
	units := make([]*unit, 0, len(components))
	byName := make(map[string]*unit, len(components))
	for _, c := range components {
		if byName[c.Name] != nil {
			return nil, fmt.Errorf("two components are called %q", c.Name)
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

// refuseCircles takes away what needs nothing, again and again; what cannot be
// taken away waits for itself.
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
					return fmt.Errorf("%s needs itself, by way of %v", u.Name, u.Needs)
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
