package exercises

// Watched selects objects whose changes can change what an exercise observes.
type Watched struct {
	Resource  Resource
	Namespace string // "" means all
	Name      string // "" means all
	Selector  string // of labels
}

// Watched returns the objects to watch: what the probes read, and the namespaces. An object that a probe gets is watched
// in all namespaces, because [Exercise.Elsewhere] finds it there.
func (e *Exercise) Watched() []Watched {
	var all []Watched
	seen := map[Watched]bool{}
	add := func(w Watched) {
		if !seen[w] {
			seen[w] = true
			all = append(all, w)
		}
	}
	for _, name := range e.Namespaces {
		add(Watched{Resource: namespaces(), Name: name})
	}
	for _, p := range e.Probes {
		switch {
		case p.Get.Kind.Value != "":
			r, _ := ResourceOf(p.Get.Kind.Value)
			add(Watched{Resource: r, Name: p.Get.Name.Value})
		case p.List.Kind.Value != "":
			r, _ := ResourceOf(p.List.Kind.Value)
			add(Watched{Resource: r, Namespace: e.namespace(r, p.List.Namespace), Selector: p.List.Selector})
		case p.Logs.Selector != "":
			r, _ := ResourceOf("Pod")
			add(Watched{Resource: r, Namespace: e.Namespaces[0], Selector: p.Logs.Selector})
		}
	}
	return all
}

// Polled reports whether the exercise observes something that no watch reports: logs, or the answer of a Service.
func (e *Exercise) Polled() bool {
	for _, p := range e.Probes {
		if p.Logs.Selector+p.HTTP.Service != "" {
			return true
		}
	}
	return false
}
