package bundles

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// A bundle is an OCI image layout in a tar file. Its root is an image index, the digest of which names and authenticates
// everything in the bundle. Each of its manifests is an item: an image, or an artifact with one layer.
const (
	rootType = "application/vnd.clusterlab.bundle.v1"
	itemType = "application/vnd.clusterlab.bundle.item.v1"
	dataType = "application/octet-stream"

	format = 1 // of the root and the items; lab reads this one and older ones

	// maxManifest bounds the root and each manifest in bytes: 4 MiB, the limit of registries.
	maxManifest = 4 << 20
)

// The annotations of the root and the items.
const (
	keyFormat   = "dev.clusterlab.bundle.format"
	keyName     = "dev.clusterlab.bundle.name"
	keyPlatform = "dev.clusterlab.bundle.platform"
	keyFlavors  = "dev.clusterlab.bundle.flavors"
	keyLab      = "dev.clusterlab.bundle.lab"
	keyBytes    = "dev.clusterlab.bundle.size"

	keyKind    = "dev.clusterlab.item.kind"
	keyItem    = "dev.clusterlab.item.name"
	keyVersion = "dev.clusterlab.item.version"
	keySize    = "dev.clusterlab.item.size"
	keyChart   = "dev.clusterlab.item.chart"
)

// Kind is the kind of an item.
type Kind string

// The kinds of items. They are part of lab's JSON output.
const (
	KindNodeImage Kind = "nodeImage" // an image that nodes are created from
	KindImage     Kind = "image"     // an image that pods run
	KindChart     Kind = "chart"
	KindTool      Kind = "tool"    // the release of a tool of `lab tools`
	KindProgram   Kind = "program" // a program or another file that belongs to lab
)

// Bundle is a bundle without its content.
type Bundle struct {
	Name     string        `json:"name"`
	Digest   digest.Digest `json:"digest"`   // of its root
	Platform string        `json:"platform"` // of the machines that can use it: "linux/amd64"
	Flavors  []string      `json:"flavors"`
	Lab      string        `json:"lab"`  // the version of lab that created it
	Size     int64         `json:"size"` // in bytes, without the root; content that items share counts once
	Items    []Item        `json:"items"`
}

// Item is one thing in a bundle.
type Item struct {
	Kind    Kind          `json:"kind"`
	Name    string        `json:"name"`              // of an image: complete, with its registry
	Version string        `json:"version,omitempty"` // of a chart or a tool
	Digest  digest.Digest `json:"digest"`            // of its manifest
	Size    int64         `json:"size"`              // in bytes
	Chart   *addons.Chart `json:"chart,omitempty"`   // the source that a chart came from

	manifest ocispec.Descriptor
}

// encode returns the root of a bundle.
func encode(b Bundle) ([]byte, ocispec.Descriptor, error) {
	index := ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, ArtifactType: rootType,
		Manifests: []ocispec.Descriptor{},
		Annotations: map[string]string{
			keyFormat: strconv.Itoa(format), keyName: b.Name, keyPlatform: b.Platform, keyLab: b.Lab,
			keyFlavors: strings.Join(b.Flavors, ","), keyBytes: strconv.FormatInt(b.Size, 10),
		},
	}
	for _, item := range b.Items {
		d := item.manifest
		d.Annotations = map[string]string{
			keyKind: string(item.Kind), keyItem: item.Name, keyVersion: item.Version, keySize: strconv.FormatInt(item.Size, 10),
		}
		if item.Chart != nil {
			text, err := json.Marshal(item.Chart)
			if err != nil {
				return nil, d, err
			}
			d.Annotations[keyChart] = string(text)
		}
		index.Manifests = append(index.Manifests, d)
	}
	data, err := json.Marshal(index)
	return data, descriptorOf(ocispec.MediaTypeImageIndex, data), err
}

// decode parses the root of a bundle. It returns ErrInvalid for other data, and ErrUnsupported for a newer format.
func decode(data []byte) (Bundle, error) {
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil || index.ArtifactType != rootType {
		return Bundle{}, fault.Errorf(fault.ErrInvalid, "it is not a bundle of lab")
	}
	if n, err := strconv.Atoi(index.Annotations[keyFormat]); err != nil || n > format {
		err := fault.Errorf(fault.ErrUnsupported, "it has format %q, and this lab reads formats up to %d", index.Annotations[keyFormat], format)
		return Bundle{}, fault.WithHint(err, "use a newer version of lab, or create the bundle again with this one: lab bundle create")
	}
	b := Bundle{
		Name: index.Annotations[keyName], Platform: index.Annotations[keyPlatform], Lab: index.Annotations[keyLab],
		Digest: digest.FromBytes(data),
	}
	b.Size, _ = strconv.ParseInt(index.Annotations[keyBytes], 10, 64) // for display only
	if flavors := index.Annotations[keyFlavors]; flavors != "" {
		b.Flavors = strings.Split(flavors, ",")
	}
	if !regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`).MatchString(b.Platform) || strings.ContainsFunc(b.Lab, unprintable) {
		return Bundle{}, fault.Errorf(fault.ErrInvalid, "its root has the platform %q and the version %q of lab", b.Platform, b.Lab)
	}
	for _, flavor := range b.Flavors {
		if problem := addons.NameProblem("flavor", flavor, addons.MaxName); problem != "" {
			return Bundle{}, fault.Errorf(fault.ErrInvalid, "%s", problem)
		}
	}
	if problem := nameProblem(b.Name); problem != "" {
		return Bundle{}, fault.Errorf(fault.ErrInvalid, "%s", problem)
	}
	for _, d := range index.Manifests {
		item, err := itemOf(d)
		if err != nil {
			return Bundle{}, err
		}
		b.Items = append(b.Items, item)
	}
	return b, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// nameProblem says why the name of a bundle is invalid, or returns "".
func nameProblem(name string) string { return addons.NameProblem("bundle", name, addons.MaxName) }

func itemOf(d ocispec.Descriptor) (Item, error) {
	item := Item{
		Kind: Kind(d.Annotations[keyKind]), Name: d.Annotations[keyItem], Version: d.Annotations[keyVersion],
		Digest: d.Digest, manifest: d,
	}
	item.Size, _ = strconv.ParseInt(d.Annotations[keySize], 10, 64) // for display only
	if err := d.Digest.Validate(); err != nil || d.Digest.Algorithm() != digest.SHA256 || d.Size < 0 {
		return Item{}, fault.Errorf(fault.ErrInvalid, "its root has an item %q with the digest %q and the size %d", item.Name, d.Digest, d.Size)
	}
	if !item.safe() {
		return Item{}, fault.Errorf(fault.ErrInvalid, "its root has an item with the kind %q, the name %q and the version %q", item.Kind, item.Name, item.Version)
	}
	if text := d.Annotations[keyChart]; text != "" {
		item.Chart = &addons.Chart{}
		if err := json.Unmarshal([]byte(text), item.Chart); err != nil {
			return Item{}, fault.Errorf(fault.ErrInvalid, "the source of its chart %s: %w", item.Name, err)
		}
		if problem := item.Chart.Problem(); problem != "" {
			return Item{}, fault.Errorf(fault.ErrInvalid, "the source of its chart %s: %q", item.Name, problem)
		}
	}
	return item, nil
}

// safe reports whether the names of the item are harmless: they come from the author of the bundle, and become names of files
// and text on the screen.
func (i Item) safe() bool {
	if strings.ContainsFunc(i.Version, unprintable) {
		return false
	}
	plain := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	switch i.Kind {
	case KindImage, KindNodeImage:
		_, err := reference.ParseNormalizedNamed(i.Name)
		return err == nil
	case KindChart, KindTool:
		return plain.MatchString(i.Name)
	case KindProgram:
		return IsProgram(i.Name)
	}
	return false
}

// IsProgram reports whether a file is lab, or a file that belongs to lab, by its name without ".exe". An import installs no
// other files, because lab runs what it installs.
func IsProgram(name string) bool {
	switch name {
	case "lab", "lab-engine", "lab-hello.tar", "lab-helm", "lab-linux", "lab-minikube":
		return true
	}
	return false
}

// fits returns ErrUnsupported if machines of a platform cannot use the bundle.
func (b Bundle) fits(platform string) error {
	if b.Platform == platform {
		return nil
	}
	err := fault.Errorf(fault.ErrUnsupported, "it is for %s, and this machine is %s", b.Platform, platform)
	return fault.WithHint(err, "create one for this machine: lab bundle create FILE --platform %s", platform)
}

// named returns the item of a kind with a name. An image also matches under the name without its digest, because
// container engines lose digests.
func (b Bundle) named(name string, kinds ...Kind) (Item, bool) {
	for _, item := range b.Items {
		for _, kind := range kinds {
			if item.Kind == kind && item.Name == name {
				return item, true
			}
		}
	}
	return Item{}, false
}

// describe returns what content belongs to, for errors: "image docker.io/library/web:v1".
func (b Bundle) describe(owner map[digest.Digest]int, d digest.Digest) string {
	i, ok := owner[d]
	if !ok {
		return fmt.Sprintf("the content %s", d)
	}
	return fmt.Sprintf("the %s %s (%s)", b.Items[i].Kind.words(), b.Items[i].Name, d)
}

func (k Kind) words() string {
	if k == KindNodeImage {
		return "node image"
	}
	return string(k)
}

func descriptorOf(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}
