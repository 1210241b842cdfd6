package kubeconfig

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// extensionName is the name of lab's extension in the contexts that it adds. The
// extension marks them as lab's, and holds what lab needs to give the file back as
// it was. It stands in the file, and not in lab's state, because there it is
// always of the same moment as the entries, under the same lock, and other
// programs that rewrite the file keep it.
const extensionName = "lab"

// memory is how the file was before lab's entries came.
type memory struct {
	Credential string            `yaml:"credential,omitempty"` // a hash of the user's, as lab wrote it; a record may name a newer one
	Previous   string            `yaml:"previous,omitempty"`   // the current context
	Created    bool              `yaml:"created,omitempty"`    // there was no file
	CreatedDir bool              `yaml:"createdDir,omitempty"` // nor its directory
	Added      []string          `yaml:"added,omitempty"`      // top-level keys that were missing
	Was        map[string]string `yaml:"was,omitempty"`        // how keys without a value were written
}

// note remembers how key is written, where lab is about to fill it.
func (m *memory) note(d *document, name string) {
	key, value := lookup(d.root, name)
	switch {
	case key == nil && !slices.Contains(m.Added, name):
		m.Added = append(m.Added, name)
	case key == nil:
	case name == currentContext && !isNull(deref(value)):
		// Written over in the same style, so it can be written back.
	case isEmpty(value):
		if _, nothing, _, ok := d.emptyLine(key); ok {
			if m.Was == nil {
				m.Was = map[string]string{}
			}
			m.Was[name] = nothing
		}
	}
}

// inherit takes over what gone remembered of the file, when its context goes and
// this one stays.
func (m *memory) inherit(gone memory) {
	m.Created = m.Created || gone.Created
	m.CreatedDir = m.CreatedDir || gone.CreatedDir
	for _, key := range gone.Added {
		if !slices.Contains(m.Added, key) {
			m.Added = append(m.Added, key)
		}
	}
	if m.Was == nil && gone.Was != nil {
		m.Was = map[string]string{}
	}
	maps.Copy(m.Was, gone.Was)
}

// ofFile tells whether m remembers anything but the context before.
func (m *memory) ofFile() bool {
	return m.Created || m.CreatedDir || len(m.Added) > 0 || len(m.Was) > 0
}

// attach puts m into a context item, in place of what lab remembered there.
func (m *memory) attach(item map[string]any) error {
	// As it will be read, so that it can be compared.
	var extension map[string]any
	text, err := encode(m)
	if err == nil {
		err = yaml.Unmarshal(text, &extension)
	}
	if err != nil {
		return err
	}
	context, ok := item["context"].(map[string]any)
	if !ok {
		context = map[string]any{}
		item["context"] = context
	}
	old, _ := context["extensions"].([]any)
	extensions := slices.DeleteFunc(slices.Clone(old), func(e any) bool {
		named, ok := e.(map[string]any)
		return ok && named["name"] == extensionName
	})
	context["extensions"] = append(extensions, map[string]any{"name": extensionName, "extension": extension})
	return nil
}

// recall reads the memory in a context item; ok is false where lab left none.
func recall(item *yaml.Node) (m memory, ok bool) {
	var v struct {
		Context struct {
			Extensions []struct {
				Name      string
				Extension yaml.Node
			}
		}
	}
	if item.Decode(&v) != nil {
		return memory{}, false
	}
	for _, e := range v.Context.Extensions {
		if e.Name == extensionName {
			_ = e.Extension.Decode(&m) // what somebody broke is as good as forgotten
			return m, true
		}
	}
	return memory{}, false
}
