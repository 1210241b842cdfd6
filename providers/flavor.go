package providers

import "github.com/clusterlab-dev/lab/providers/fault"

// Flavor is what an adapter gives to the program: everything that the program must know of the
// flavor before its [Provider] exists. An adapter exports a function that returns its Flavor, and
// main calls it: no other package names a flavor.
type Flavor struct {
	Name string // as in --flavor
	Keys []Key  // what the user's configuration may set for it

	// New returns the provider. It is called once, after the values of Keys are set. It touches
	// nothing.
	New func(Setup) Provider
}

// Key is a key of the user's configuration. Its value is stored in Text or in List, of which
// exactly one is set; a key that is configured nowhere leaves it unchanged.
type Key struct {
	Path     string // in config.yaml, such as "images.kind.node"
	Variable string // the environment variable that overrides the file, such as "LAB_IMAGES_KIND_NODE"
	Doc      string // a noun phrase that says what the value is

	Text *string
	List *[]string // in the environment, its items are separated by spaces
}

// Setup is what the program tells every flavor.
type Setup struct {
	Dir     string   // a directory for this flavor alone, which need not exist yet
	BinDirs []string // further directories in which a program of the flavor may be

	CAFile     string            // the PEM file of authorities that nodes trust where a spec names none
	Registries map[string]string // the mirror to use in place of a registry, by the registry's host
	Cache      *ImageCache       // nil if the user started none
}

// ImageCache is the image cache that the user started. It may have stopped since: whether it
// answers, a provider finds out when it needs it.
type ImageCache struct {
	Container  string   // its name, by which nodes reach it
	Registries []string // that it answers for, by their names in images
}

// Tool is a command-line program that users of a flavor may have installed.
type Tool struct {
	Name        string
	VersionArgs []string // print the version, without a cluster
}

// KubectlProvider is implemented by providers that come with a kubectl.
type KubectlProvider interface {
	// Kubectl returns a program that is kubectl if its first arguments are args. It returns
	// ErrUnavailable if the program is not installed.
	Kubectl() (path string, args []string, err error)
}

// Kubectl returns the kubectl of the first flavor that has one, see [KubectlProvider]. It returns
// ErrUnavailable if no flavor does.
func (s *Set) Kubectl() (path string, args []string, err error) {
	err = fault.Errorf(fault.ErrUnavailable, "no flavor comes with a kubectl")
	for _, p := range s.providers {
		k, ok := p.(KubectlProvider)
		if !ok {
			continue
		}
		if path, args, err = k.Kubectl(); err == nil {
			return path, args, nil
		}
	}
	return "", nil, err
}
