package clusteraddons

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/hostport"
)

// Plan is what an update of a cluster does with its addons.
type Plan struct {
	Requests addons.Requests // to install, dependencies first
	Resumed  []string        // interrupted removals to finish, dependents first
	Surplus  []string        // addons that are not requested, dependents first; a prune removes them

	// Unfinished are those of Surplus whose installation never finished. An update leaves them as they are.
	Unfinished []string

	request Request
}

// Plan plans an update of the addons of a cluster to match q. It keeps the addons that the cluster
// has, except those whose removal began, unless q requests them again. Kept addons are repaired, but if a file or a
// profile says which addons are requested, the others are not installed: a user deletes a broken addon from the file.
func (s *Addons) Plan(r state.Record, q Request) (Plan, error) {
	catalog, err := s.Catalog()
	if err != nil {
		return Plan{}, err
	}
	requested, invalid := closure(catalog, r, q)
	p := Plan{request: q}
	all := q
	all.Names = nil
	for _, name := range staying(r) {
		request, _ := r.Addons.Get(name)
		if _, wanted := requested.Get(name); q.Described && request.Unfinished && !wanted {
			p.Unfinished = append(p.Unfinished, name)
			continue
		}
		all.Names = append(all.Names, name)
	}
	all.Names = append(all.Names, q.Names...)
	if p.Requests, err = requests(catalog, r, all); err != nil { // its hints name addons of the cluster
		return Plan{}, err
	}
	if invalid != nil {
		return Plan{}, invalid
	}
	for _, request := range slices.Backward(r.Addons) {
		name := request.Addon.Name
		_, planned := p.Requests.Get(name)
		_, wanted := requested.Get(name)
		switch {
		case request.Removing && !planned:
			p.Resumed = append(p.Resumed, name)
		case !wanted:
			p.Surplus = append(p.Surplus, name)
		}
	}
	return p, nil
}

// Removals returns the addons that an update removes, dependents first.
func (p Plan) Removals(prune bool) []string {
	if !prune {
		return p.Resumed
	}
	return slices.Concat(p.Resumed, p.Surplus)
}

// Beyond returns p without the addons that has contains in the requested form, and that have worked. It
// is the plan for a cluster that was created with these addons.
func (p Plan) Beyond(has addons.Requests) Plan {
	p.Requests = slices.DeleteFunc(slices.Clone(p.Requests), func(q addons.Request) bool {
		old, found := has.Get(q.Addon.Name)
		return found && !old.Unfinished && !old.Removing && same(old, q)
	})
	return p
}

// same compares what the record of a cluster has of two requests.
func same(a, b addons.Request) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// closure returns what q requests, with everything that it needs.
func closure(catalog addons.Catalog, r state.Record, q Request) (addons.Requests, error) {
	q.Values = nil
	for _, request := range r.Addons { // an addon that no catalog has can be requested by its name
		q.Defined = append([]addons.Addon{request.Addon}, q.Defined...)
	}
	return requests(catalog, state.Record{}, q)
}

// requests returns the requests to fulfil, dependencies first. An addon of the cluster keeps its
// definition, unless it is upgraded or its installation never finished: the definition may have been
// the cause.
func requests(catalog addons.Catalog, r state.Record, q Request) (addons.Requests, error) {
	present := r
	present.Addons = slices.DeleteFunc(slices.Clone(r.Addons), func(request addons.Request) bool {
		return request.Own && slices.Contains(q.Written, request.Addon.Name) // the file redefines it, or no longer defines it
	})
	if q.Upgrade {
		catalog = withOwn(catalog, present)
	} else {
		catalog = withInstalled(catalog, present)
	}
	plan, err := catalog.With(q.Defined...).Plan(q.Names, staying(r))
	if err != nil {
		return nil, err
	}
	for _, name := range q.Names {
		if _, has := r.Addons.Get(name); q.Upgrade && !has {
			return nil, fault.WithHint(noAddon(r.Name, name), "install it: lab addon install %s --name %s", name, r.Name)
		}
	}
	var all addons.Requests
	for _, a := range plan {
		request, _ := r.Addons.Get(a.Name)
		all = append(all, updated(request, a, q))
	}
	return all, valuesHaveAddon(all, q)
}

// withInstalled returns the catalog with the addons of a cluster that were installed once or that
// it does not define.
func withInstalled(catalog addons.Catalog, r state.Record) addons.Catalog {
	for _, request := range r.Addons {
		if _, err := catalog.Get(request.Addon.Name); err != nil || request.Own || !request.Unfinished {
			catalog = catalog.With(request.Addon)
		}
	}
	return catalog
}

// staying returns the addons of a cluster whose removal has not begun.
func staying(r state.Record) []string {
	return slices.DeleteFunc(r.Addons.Names(), func(name string) bool {
		request, _ := r.Addons.Get(name)
		return request.Removing
	})
}

// updated returns the earlier request for an addon with what q changes. a is the definition.
func updated(request addons.Request, a addons.Addon, q Request) addons.Request {
	written := slices.Contains(q.Written, a.Name)
	if written || q.Reset && slices.Contains(q.Names, a.Name) {
		request.Values = nil
	}
	request.Unfinished = request.Unfinished || request.Removing || !reflect.DeepEqual(request.Addon, a)
	request.Removing = false
	request.Addon, request.Values = a, addons.Merge(request.Values, q.Values[a.Name])
	if defined := slices.ContainsFunc(q.Defined, func(d addons.Addon) bool { return d.Name == a.Name }); defined || written {
		request.Own = defined
	}
	return request
}

// valuesHaveAddon returns ErrInvalid if q has values for an addon that is not requested.
func valuesHaveAddon(all addons.Requests, q Request) error {
	for name := range q.Values {
		_, requested := all.Get(name)
		if !requested && (slices.Contains(q.Flagged, name) || !slices.Contains(q.Written, name)) {
			err := fault.Errorf(fault.ErrInvalid, "values for addon %q, which is not requested", name)
			return fault.WithHint(err, "omit its values, or request it: lab up --addon %s, or lab addon install %s", name, name)
		}
	}
	return nil
}

// failed returns the error of an addon whose chart cannot be read.
func failed(err error, addon string) error {
	return fault.WithHint(fmt.Errorf("addon %s: %w", addon, err), "%s", fault.HintOf(err))
}

// Images returns the images that the addons of a request pull, with the addons that they need, on a new cluster with
// traits. A cluster without pods pulls none.
func (s *Addons) Images(ctx context.Context, q Request, traits providers.Traits) ([]addons.Image, error) {
	catalog, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	plan, err := requests(catalog, state.Record{}, q)
	if err != nil || !traits.RunsPods {
		return nil, err
	}
	return s.imagesOf(ctx, plan, q, traits)
}

// Images returns the images that the addons of a plan pull on a cluster with traits.
func (p Plan) Images(ctx context.Context, s *Addons, traits providers.Traits) ([]addons.Image, error) {
	if !traits.RunsPods {
		return nil, nil
	}
	return s.imagesOf(ctx, p.Requests, p.request, traits)
}

func (s *Addons) imagesOf(ctx context.Context, plan addons.Requests, q Request, traits providers.Traits) ([]addons.Image, error) {
	releases, err := s.releases(ctx, addons.Cluster{Traits: traits}, plan, q, failed)
	if err != nil {
		return nil, err
	}
	var all []addons.Image
	for _, request := range plan {
		images, err := s.Tools.Images(releases[request.Addon.Name])
		if err != nil {
			return nil, failed(err, request.Addon.Name)
		}
		all = append(all, images...)
	}
	return all, nil
}

// Releases returns what the addons of a request install on a new cluster of a flavor, with the addons that they need,
// dependencies first. It downloads charts that are not cached. Errors are those of Images.
func (s *Addons) Releases(ctx context.Context, q Request, p providers.Provider, spec providers.Spec) ([]addons.Release, error) {
	all, _, err := s.newReleases(ctx, q, p, spec, failed)
	return all, err
}

// CachedReleases is Releases without a network. lacks has the addons whose charts are not on this machine.
func (s *Addons) CachedReleases(ctx context.Context, q Request, p providers.Provider, spec providers.Spec) (all []addons.Release, lacks []addons.Addon, err error) {
	q.Offline = true
	return s.newReleases(ctx, q, p, spec, func(err error, addon string) error {
		if errors.Is(err, fault.ErrUnavailable) {
			return nil
		}
		return failed(err, addon)
	})
}

// newReleases returns the releases of the addons of a request on a new cluster. failed returns the error of an addon
// whose chart cannot be read, or nil to add the addon to lacks.
func (s *Addons) newReleases(
	ctx context.Context, q Request, p providers.Provider, spec providers.Spec, failed func(err error, addon string) error,
) (all []addons.Release, lacks []addons.Addon, err error) {
	catalog, err := s.Catalog()
	if err != nil {
		return nil, nil, err
	}
	plan, err := requests(catalog, state.Record{}, q)
	if err != nil {
		return nil, nil, err
	}
	for _, request := range plan {
		spec.Wants = request.Addon.Asks.Wants(spec.Wants)
	}
	found, err := s.releases(ctx, addons.Cluster{Traits: p.Traits(spec)}, plan, q, failed)
	if err != nil {
		return nil, nil, err
	}
	for _, request := range plan {
		if release, ok := found[request.Addon.Name]; ok {
			all = append(all, release)
		} else {
			lacks = append(lacks, request.Addon)
		}
	}
	return all, lacks, nil
}

// SpecFor returns the spec of a new cluster with what the addons of a plan need. A port that must be
// published gets the same number on the host if that is free, else another. A cluster that runs no
// pods gets nothing: no pod would answer. It returns ErrInvalid if the cluster would bundle what an
// addon conflicts with.
func SpecFor(ctx context.Context, p providers.Provider, spec providers.Spec, plan addons.Requests) (providers.Spec, error) {
	var list []addons.Addon
	for _, r := range plan {
		list = append(list, r.Addon)
	}
	if p.Traits(spec).RunsPods {
		asks := addons.AsksOf(list)
		spec.Wants = asks.Wants(spec.Wants)
		spec.Ports = slices.Clone(spec.Ports)
		for _, port := range asks.Ports {
			if Published(spec, port) {
				continue
			}
			host, err := hostport.Free(ctx, hostport.Port{Number: port})
			if err != nil {
				return spec, err
			}
			spec.Ports = append(spec.Ports, providers.Port{Host: host, Container: port})
		}
	}
	if own, addon := bundled(p.Traits(spec), plan); own != "" {
		err := fault.Errorf(fault.ErrInvalid, "the cluster would bundle %s, which conflicts with %s", own, addon)
		return spec, fault.WithHint(err, "remove it from the configuration of %s, or do not request the addon", p.Name())
	}
	return spec, nil
}

// Published reports whether a port of the node is published on the host.
func Published(spec providers.Spec, container int) bool {
	return slices.ContainsFunc(spec.Ports, func(p providers.Port) bool { return p.Container == container })
}

// Lacks returns ErrExists if an existing cluster cannot have an addon: it was created without what
// the addon needs, or it has the addon in another namespace.
func Lacks(r state.Record, plan addons.Requests) error {
	for _, request := range plan {
		name, namespace := request.Addon.Name, request.Addon.In()
		if before, has := r.Addons.Get(name); has && before.Addon.In() != namespace {
			err := fault.Errorf(fault.ErrExists, "addon %s is in namespace %s and cannot move to namespace %s", name, before.Addon.In(), namespace)
			return fault.WithHint(err, "remove it first: lab addon remove %s --name %s", name, r.Name)
		}
	}
	if !r.Traits.RunsPods {
		return nil
	}
	if own, addon := bundled(r.Traits, plan); own != "" {
		return tooLate(r, addon, "it bundles %s, which conflicts with %s", own, addon)
	}
	for _, request := range plan {
		name := request.Addon.Name
		for _, port := range request.Addon.Asks.Ports {
			if r.Traits.HostPorts != "" && !Published(r.Spec, port) {
				return tooLate(r, name, "its port %d, which %s needs, is not published on the host", port, name)
			}
		}
	}
	return nil
}

// tooLate returns the error of an addon that had to be requested when the cluster was created.
func tooLate(r state.Record, addon, format string, args ...any) error {
	err := fault.Errorf(fault.ErrExists, "cluster %q exists already, and %s", r.Name, fmt.Sprintf(format, args...))
	return fault.WithHint(err,
		"choose another name, or recreate the cluster and lose its contents: lab up %s --addon %s --recreate", r.Name, addon)
}

// bundled returns what a cluster with these traits bundles that conflicts with an addon, and that
// addon; or "".
func bundled(t providers.Traits, plan addons.Requests) (own, addon string) {
	for _, request := range plan {
		switch asks := request.Addon.Asks; {
		case asks.NoIngress && t.Ingress:
			return "an ingress controller", request.Addon.Name
		case asks.NoMetricsServer && t.MetricsServer:
			return "a metrics-server", request.Addon.Name
		}
	}
	return "", ""
}
