package exercises

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxValues is the largest number of values in a manifest. Aliases count each time.
const maxValues = 10_000

// manifest reads the objects of a manifest, and reports those that an exercise must not create.
// offset is the number of lines before the manifest in the file.
func (l *loader) manifest(file string, offset int, data []byte, namespaces []string) []Object {
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var objects []Object
	for {
		var root yaml.Node
		err := documents.Decode(&root)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			p := strict.Syntax(file, err)
			p.Line += offset
			l.problems = append(l.problems, p)
			return nil
		}
		if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
			continue // only comments
		}
		at := strict.Text{Line: offset + root.Content[0].Line, Column: root.Content[0].Column}
		budget := maxValues
		if !within(root.Content[0], &budget, 0) {
			l.problem(file, at, "the manifest is too large: the limit is %d values", maxValues)
			return nil
		}
		var o Object
		if err := root.Content[0].Decode(&o); err != nil {
			l.problem(file, at, "invalid manifest: %v", err)
			return nil
		}
		if problem := normalize(o); problem != "" {
			l.problem(file, at, "%s", problem)
			return nil
		}
		if problem := l.allowed(o, namespaces); problem != "" {
			l.problem(file, at, "%s", problem)
			continue
		}
		objects = append(objects, o)
	}
}

// within reports whether a tree has at most *budget values, and lowers it.
func within(n *yaml.Node, budget *int, depth int) bool {
	*budget--
	if *budget < 0 || depth > 64 {
		return false
	}
	if n.Kind == yaml.AliasNode {
		return within(n.Alias, budget, depth+1)
	}
	for _, child := range n.Content {
		if !within(child, budget, depth+1) {
			return false
		}
	}
	return true
}

// normalize makes the numbers of a tree those of [Object]. It returns what JSON cannot have.
func normalize(v any) string {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			if n, ok := child.(int); ok {
				v[key] = int64(n)
			} else if problem := normalize(child); problem != "" {
				return key + ": " + problem
			}
		}
	case []any:
		for i, child := range v {
			if n, ok := child.(int); ok {
				v[i] = int64(n)
			} else if problem := normalize(child); problem != "" {
				return problem
			}
		}
	case time.Time:
		return "a date; quote it to make it a string"
	case uint64, map[any]any:
		return "a value that JSON cannot have"
	}
	return ""
}

// allowed says why an exercise must not create an object, or returns "".
func (l *loader) allowed(o Object, namespaces []string) string {
	kind, namespace := text(o, "kind"), text(o, "metadata", "namespace")
	r, ok := ResourceOf(kind)
	switch {
	case !ok:
		hint := "use one of " + strings.Join(kindNames(), ", ")
		if near := fault.Nearest(kind, kindNames()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fmt.Sprintf("unknown kind %q: %s", strict.Clip(kind), hint)
	case r.Clustered:
		return fmt.Sprintf("a %s is not in a namespace, and an exercise may create only objects in its namespaces; namespaces are listed in exercise.yaml", kind)
	case text(o, "apiVersion") != r.APIVersion:
		return fmt.Sprintf("the apiVersion of a %s must be %s", kind, r.APIVersion)
	case NameOf(o) == "":
		return fmt.Sprintf("the %s has no metadata.name", kind)
	case namespace != "" && !slices.Contains(namespaces, namespace):
		return fmt.Sprintf("namespace %q does not belong to the exercise: %s", strict.Clip(namespace), strings.Join(namespaces, ", "))
	}
	for _, image := range imagesOf(o) {
		if problem := l.declared(image); problem != "" {
			return problem
		}
	}
	return ""
}

// declared returns the problem of an image that the pack does not declare.
func (l *loader) declared(image string) string {
	if slices.Contains(l.pack.Images, image) || slices.Contains(l.pack.BrokenImages, image) {
		return ""
	}
	return fmt.Sprintf("the image %q is not declared; add it to images in pack.yaml", strict.Clip(image))
}

// imagesOf returns the images of all containers in an object, at any depth.
func imagesOf(v any) []string {
	var images []string
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			list, isList := child.([]any)
			if isList && (key == "containers" || key == "initContainers") {
				for _, c := range list {
					if image, ok := field(asObject(c), "image").(string); ok {
						images = append(images, image)
					}
				}
				continue
			}
			images = append(images, imagesOf(child)...)
		}
	case []any:
		for _, child := range v {
			images = append(images, imagesOf(child)...)
		}
	}
	slices.Sort(images)
	return images
}

func asObject(v any) Object {
	o, _ := v.(map[string]any)
	return o
}
