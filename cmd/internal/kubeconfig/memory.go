package kubeconfig

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// extensionName is the name of lab's extension in the contexts that it adds. The extension
// marks them as lab's, and holds what lab needs to restore the file. It is in the file and not
// in lab's state, because there it changes together with the entries, under the same lock, and
// other programs that rewrite the file keep it.
const extensionName = "lab"

// memory describes the file before lab added entries.
type memory struct {
	Credential string            `yaml:"credential,omitempty"` // a hash of the user's, as lab wrote it; a record may name a newer one
	Previous   string            `yaml:"previous,omitempty"`   // the current context
	Created    bool              `yaml:"created,omitempty"`    // there was no file
	CreatedDir bool              `yaml:"createdDir,omitempty"` // nor its directory
	Added      []string          `yaml:"added,omitempty"`      // top-level keys that were missing
	Was        map[string]string `yaml:"was,omitempty"`        // how keys without a value were written
}

// note remembers how key is written, before lab fills it. A current context needs no note: it
// is overwritten in its style, and can be written back.
func (m *memory) note(d *document, key string) {
	i := d.key(key)
	if i < 0 {
		m.add(key)
		return
	}
	p := d.pieces[i]
	if !isEmpty(p.value) || key == currentContext && !isNull(deref(p.value)) {
		return
	}
	if parts := p.divide(); parts != nil {
		m.remember(map[string]string{key: parts[1]})
	}
}

func (m *memory) add(keys ...string) {
	for _, key := range keys {
		if !slices.Contains(m.Added, key) {
			m.Added = append(slices.Clip(m.Added), key)
		}
	}
}

func (m *memory) remember(was map[string]string) {
	if len(was) == 0 {
		return
	}
	all := map[string]string{}
	maps.Copy(all, m.Was)
	maps.Copy(all, was)
	m.Was = all
}

// inherit adds what gone remembers of the file.
func (m *memory) inherit(gone memory) {
	m.Created = m.Created || gone.Created
	m.CreatedDir = m.CreatedDir || gone.CreatedDir
	m.add(gone.Added...)
	m.remember(gone.Was)
}

// hasFile reports whether m remembers anything but the context that was current.
func (m memory) hasFile() bool {
	return m.Created || m.CreatedDir || len(m.Added) > 0 || len(m.Was) > 0
}

// attach puts m into the content of a context, in place of what lab remembered there.
func (m memory) attach(item map[string]any) error {
	text, err := encode(m)
	if err != nil {
		return err
	}
	// In the form in which it will be read, so that covers can compare it.
	var mine map[string]any
	if err := yaml.Unmarshal(text, &mine); err != nil {
		return err
	}
	context, ok := item["context"].(map[string]any)
	if !ok {
		context = map[string]any{}
		item["context"] = context
	}
	old, _ := context["extensions"].([]any)
	extensions := slices.DeleteFunc(slices.Clone(old), func(x any) bool {
		named, ok := x.(map[string]any)
		return ok && named["name"] == extensionName
	})
	context["extensions"] = append(extensions, map[string]any{"name": extensionName, "extension": mine})
	return nil
}
