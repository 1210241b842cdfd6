package addontest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// machine is one cluster of a Fake.
type machine struct {
	Objects  map[string]object
	Releases map[string]record
}

type object struct {
	Addon string   // "" if not managed by lab
	Also  []string // more addons that have it, too
	Text  string
}

// change calls do with the cluster, and stores the changes unless do fails.
func (f Fake) change(ctx context.Context, c addons.Cluster, do func(*machine) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := sha256.Sum256(c.Kubeconfig)
	path := filepath.Join(f.dir, "clusters", hex.EncodeToString(sum[:8])+".json")
	m := &machine{Objects: map[string]object{}, Releases: map[string]record{}}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, m)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := do(m); err != nil {
		return err
	}
	if data, err = json.Marshal(m); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func (m *machine) put(o addons.Object, addon string, doc map[string]any) {
	m.Objects[key(o)] = object{Addon: addon, Text: text(doc)}
}

func (m *machine) whole(objects []addons.Object) bool {
	for _, o := range objects {
		if _, there := m.Objects[key(o)]; !there {
			return false
		}
	}
	return true
}

// prepare creates the namespace and the Secrets unless they exist.
func (m *machine) prepare(a addons.Addon) {
	once := func(o addons.Object, doc map[string]any) {
		if _, there := m.Objects[key(o)]; !there {
			m.put(o, a.Name, doc)
		}
	}
	once(addons.Object{Kind: "Namespace", Name: a.In()}, map[string]any{"kind": "Namespace"})
	for _, s := range a.Secrets {
		data := map[string]any{}
		for k, v := range s.Fixed {
			data[k] = v
		}
		for _, k := range s.Generated {
			data[k] = rand.Text()
		}
		once(addons.Object{Kind: "Secret", Namespace: a.In(), Name: s.Name}, map[string]any{"kind": "Secret", "data": data})
	}
}

// define stores a definition for an addon, or says why another one is kept.
func (m *machine) define(addon string, d map[string]any) (reason string) {
	name := objectOf(d, "")
	was, there := m.Objects[key(name)]
	if !there || was.Addon == addon && len(was.Also) == 0 {
		m.put(name, addon, d)
		return ""
	}
	if was.Addon != "" && was.Addon != addon && !slices.Contains(was.Also, addon) {
		was.Also = append(was.Also, addon)
		m.Objects[key(name)] = was
	}
	if was.Text != text(d) {
		return "it is another version"
	}
	return ""
}

// remove deletes everything of an addon that nothing else needs.
func (m *machine) remove(r record, a addons.Addon) (kept []addons.Kept) {
	keep := func(o addons.Object, reason string, own bool) {
		kept = append(kept, addons.Kept{Object: o, Reason: reason, Own: own})
	}
	for _, o := range r.Objects {
		switch found, there := m.Objects[key(o)]; {
		case there && found.Addon != r.Name:
			keep(o, "it does not belong to the release", false)
		case o.Kind != "CustomResourceDefinition":
			delete(m.Objects, key(o))
		}
	}
	for _, o := range r.Hooks {
		if found, there := m.Objects[key(o)]; there && found.Addon != r.Name {
			keep(o, "it is unknown whether lab created it", true)
			continue
		}
		delete(m.Objects, key(o))
	}
	for _, o := range a.Leftovers {
		o.Namespace = a.In()
		delete(m.Objects, key(o))
	}
	delete(m.Releases, r.Name)
	for k, o := range m.Objects {
		kind, name, _ := strings.Cut(k, " ")
		if i := slices.Index(o.Also, r.Name); i >= 0 {
			o.Also = slices.Delete(o.Also, i, i+1)
			m.Objects[k] = o
			keep(addons.Object{Kind: kind, Name: name}, o.Addon+" needs it", false)
		}
		home := k == "Namespace "+r.Namespace && o.Addon != ""
		if o.Addon != r.Name && !home {
			continue
		}
		if why := m.needed(k, o); why != "" {
			shared := kind == "Namespace" && m.hasRelease(name) || m.Objects[k].Addon != r.Name
			keep(addons.Object{Kind: kind, Name: name}, why, !shared)
			continue
		}
		delete(m.Objects, k)
	}
	return kept
}

// hasRelease reports whether a release is in a namespace.
func (m *machine) hasRelease(namespace string) bool {
	for _, r := range m.Releases {
		if r.Namespace == namespace {
			return true
		}
	}
	return false
}

// needed says which other addon or object needs an object, or returns "".
func (m *machine) needed(k string, o object) string {
	o.Also = slices.DeleteFunc(o.Also, func(addon string) bool { _, there := m.Releases[addon]; return !there })
	if len(o.Also) > 0 {
		o.Addon, o.Also = o.Also[0], o.Also[1:]
		m.Objects[k] = o
		return o.Addon + " needs it"
	}
	kind, name, _ := strings.Cut(k, " ")
	for other, theirs := range m.Objects {
		if theirs.Addon == o.Addon {
			continue
		}
		otherKind, otherName, _ := strings.Cut(other, " ")
		if kind == "Namespace" && strings.HasPrefix(otherName, name+"/") {
			return other + " is in it"
		}
		if kind == "CustomResourceDefinition" && otherKind != kind && strings.Contains(o.Text, "kind: "+otherKind+"\n") {
			return "it has objects: " + other
		}
	}
	return ""
}

// chart is the part of a chart that the fake reads.
type chart struct {
	version, app string
	templates    []map[string]any
	definitions  []map[string]any
	hooks        []map[string]any
	hangs        bool
}

func open(a addons.Archive) (chart, error) {
	invalid := func(err error) (chart, error) {
		return chart{}, fault.Errorf(fault.ErrInvalid, "cannot read the chart: %w", err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(a.Data))
	if err != nil {
		return invalid(err)
	}
	var c chart
	for in := tar.NewReader(zip); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return invalid(err)
		}
		data, err := io.ReadAll(in)
		if err == nil {
			err = c.add(header.Name, data)
		}
		if err != nil {
			return invalid(err)
		}
	}
}

func (c *chart) add(name string, data []byte) error {
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(name, "/Chart.yaml"):
		c.version, _ = doc["version"].(string)
		c.app, _ = doc["appVersion"].(string)
	case strings.Contains(name, "/crds/"):
		c.definitions = append(c.definitions, doc)
	case strings.Contains(string(data), "helm.sh/hook"):
		c.hangs = c.hangs || strings.Contains(string(data), "nowhere")
		c.hooks = append(c.hooks, doc)
	case strings.Contains(name, "/templates/"):
		c.templates = append(c.templates, doc)
	}
	return nil
}

func objectOf(doc map[string]any, namespace string) addons.Object {
	metadata, _ := doc["metadata"].(map[string]any)
	o := addons.Object{Namespace: namespace}
	o.APIVersion, _ = doc["apiVersion"].(string)
	o.Kind, _ = doc["kind"].(string)
	o.Name, _ = metadata["name"].(string)
	if n, ok := metadata["namespace"].(string); ok {
		o.Namespace = n
	}
	if slices.Contains([]string{"CustomResourceDefinition", "Namespace", "ClusterRole"}, o.Kind) {
		o.Namespace = ""
	}
	return o
}

func key(o addons.Object) string { return o.String() }

func text(doc map[string]any) string {
	data, _ := yaml.Marshal(doc) // it came from YAML
	return string(data)
}

// normal returns v as it is after encoding and decoding.
func normal(v addons.Values) any {
	data, _ := json.Marshal(v)
	var n any
	_ = json.Unmarshal(data, &n)
	return n
}
