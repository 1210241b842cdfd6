package docker

import (
	"context"
	"strings"
)

// Kind is a kind of object in the engine other than containers.
type Kind string

// The kinds that clusters leave behind.
const (
	Network Kind = "network"
	Volume  Kind = "volume"
)

// Labelled returns the names of the objects of a kind that bear a label, "key" or "key=value".
func Labelled(ctx context.Context, kind Kind, label string) ([]string, error) {
	out, err := ask(ctx, string(kind), "ls", "--format", "{{.Name}}", "--filter", "label="+label)
	return strings.Fields(string(out)), err
}

// Object is an object in the engine other than a container.
type Object struct {
	ID, Name string
	Labels   []string // "key=value"
}

// Networks returns the networks that bear a label, "key" or "key=value", or all if label is "".
func Networks(ctx context.Context, label string) ([]Object, error) {
	args := []string{"network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}} {{.Labels}}"}
	if label != "" {
		args = append(args, "--filter", "label="+label)
	}
	out, err := ask(ctx, args...)
	var all []Object
	for line := range strings.Lines(string(out)) {
		id, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		name, labels, _ := strings.Cut(rest, " ")
		if ok {
			all = append(all, Object{id, name, strings.Split(labels, ",")})
		}
	}
	return all, err
}

// HasVolume reports whether a volume of that name exists.
func HasVolume(ctx context.Context, name string) (bool, error) {
	out, err := ask(ctx, "volume", "ls", "--quiet", "--filter", "name="+name)
	for found := range strings.FieldsSeq(string(out)) { // the filter matches substrings, too
		if found == name {
			return true, err
		}
	}
	return false, err
}

// RemoveAll removes objects of a kind. It ignores objects that do not exist any more.
func RemoveAll(ctx context.Context, kind Kind, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := run(ctx, append([]string{string(kind), "rm"}, ids...)...)
	if isGone(err) {
		return nil
	}
	return err
}

// StartAnywhere starts a stopped container. If another container uses its address in a network,
// it gets a free one, and moved is true.
func StartAnywhere(ctx context.Context, c Container) (moved bool, err error) {
	_, err = run(ctx, "start", c.ID)
	if err == nil || !strings.Contains(err.Error(), "Address already in use") { // for a port docker writes it in lower case
		return false, err
	}
	for network := range c.NetworkSettings.Networks {
		if _, err := run(ctx, "network", "disconnect", "--force", network, c.ID); err != nil {
			return false, err
		}
		if _, err := run(ctx, "network", "connect", network, c.ID); err != nil {
			return false, err
		}
	}
	_, err = run(ctx, "start", c.ID)
	return err == nil, err
}

// Disconnect disconnects containers from a network. It ignores containers that are not
// connected.
func Disconnect(ctx context.Context, network string, ids ...string) error {
	for _, id := range ids {
		_, err := run(ctx, "network", "disconnect", "--force", network, id)
		if err != nil && !isGone(err) && !strings.Contains(err.Error(), "is not connected") {
			return err
		}
	}
	return nil
}
