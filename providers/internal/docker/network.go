package docker

import (
	"context"
	"strings"
)

// RemoveNetwork removes the network of that name if it bears a label, "key=value", and
// does nothing where there is none. It returns an error as long as a container is in it.
func RemoveNetwork(ctx context.Context, name, label string) error {
	out, err := run(ctx, "network", "ls", "--quiet", "--no-trunc", "--filter", "label="+label, "--filter", "name=^"+name+"$")
	if err != nil {
		return err
	}
	for id := range strings.FieldsSeq(string(out)) {
		if _, err := run(ctx, "network", "rm", id); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}

// Disconnect takes containers out of a network. Those that are not in it are no error.
func Disconnect(ctx context.Context, network string, ids ...string) error {
	for _, id := range ids {
		_, err := run(ctx, "network", "disconnect", "--force", network, id)
		if err != nil && !isMissing(err) && !strings.Contains(err.Error(), "is not connected") {
			return err
		}
	}
	return nil
}

// RemoveVolumes removes the volumes that bear a label, "key=value".
func RemoveVolumes(ctx context.Context, label string) error {
	out, err := run(ctx, "volume", "ls", "--quiet", "--filter", "label="+label)
	names := strings.Fields(string(out))
	if err != nil || len(names) == 0 {
		return err
	}
	_, err = run(ctx, append([]string{"volume", "rm", "--force"}, names...)...)
	return err
}

// isMissing tells whether docker failed as a network or a container is not there.
func isMissing(err error) bool {
	words := strings.ToLower(err.Error())
	return strings.Contains(words, "no such network") || strings.Contains(words, "no such container") || strings.Contains(words, " not found")
}
