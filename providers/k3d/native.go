package k3d

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/k3d-io/k3d/v5/pkg/config"
	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"
	"github.com/k3d-io/k3d/v5/pkg/runtimes/util"
	"github.com/spf13/viper"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// parseNative parses k3d's own configuration as k3d does, by its schema first. It returns an
// empty one for no text, ErrInvalid, and ErrUnsupported for a configuration that would open the
// cluster to the network.
func parseNative(text []byte) (*v1alpha5.SimpleConfig, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return &v1alpha5.SimpleConfig{}, nil
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, invalid("%w", err)
	}
	version, _ := content["apiVersion"].(string)
	schema, err := config.GetSchemaByVersion(version)
	if err != nil {
		return nil, invalid("%w", err)
	}
	if err := config.ValidateSchema(content, schema); err != nil {
		return nil, invalid("%s", strings.TrimSpace(err.Error()))
	}
	v := viper.New()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(text)); err != nil {
		return nil, invalid("%w", err)
	}
	read, err := config.FromViper(v)
	if err == nil && read.GetAPIVersion() != v1alpha5.ApiVersion {
		read, err = config.Migrate(read, v1alpha5.ApiVersion) // as k3d does for older versions
	}
	if err != nil {
		return nil, invalid("%w", err)
	}
	c, ok := read.(v1alpha5.SimpleConfig)
	if !ok {
		return nil, invalid("kind is %q, want \"Simple\"", read.GetKind())
	}
	return &c, checkNative(&c)
}

// namedIn returns the name of the cluster in k3d's own configuration, or "".
func namedIn(native []byte) string {
	c, err := parseNative(native)
	if err != nil {
		return ""
	}
	return c.Name
}

// Localize expands environment variables in a configuration, as k3d does, and makes relative
// paths absolute, relative to the directory of the file instead of the working directory. A
// volume without a slash is one of Docker's.
func (*Provider) Localize(text []byte, dir string) []byte {
	absolute := nodes.Absolute(dir)
	file := func(source string) string {
		if strings.Contains(source, "\n") { // the content of the file itself
			return source
		}
		return absolute(source)
	}
	volume := func(v string) string {
		host, rest, found := strings.Cut(v, ":")
		if !found || !strings.Contains(host, "/") && !strings.HasPrefix(host, ".") {
			return v
		}
		return absolute(host) + ":" + rest
	}
	return nodes.ChangeFields([]byte(os.ExpandEnv(string(text))),
		nodes.Field{Keys: []string{"volumes", "volume"}, Change: volume},
		nodes.Field{Keys: []string{"files", "source"}, Change: file},
		nodes.Field{Keys: []string{"registries", "config"}, Change: file},
	)
}

// sources returns the files and directories of this machine that a configuration mounts.
func sources(c *v1alpha5.SimpleConfig) []string {
	var all []string
	for _, v := range c.Volumes {
		if from, _, err := util.ReadVolumeMount(v.Volume); err == nil && strings.Contains(from, "/") {
			all = append(all, from)
		}
	}
	return all
}

// checkNative rejects configurations for which k3d would exit the whole program, and those that
// lab does not support.
func checkNative(c *v1alpha5.SimpleConfig) error {
	for _, l := range c.Options.Runtime.Labels {
		key, _, _ := strings.Cut(l.Label, "=")
		if strings.HasPrefix(key, "k3s.") || strings.HasPrefix(key, "k3d.") || key == "app" {
			return invalid("the label %q is reserved by k3d", key)
		}
	}
	for _, u := range c.Options.Runtime.Ulimits {
		if !slices.Contains(strings.Fields("core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"), u.Name) {
			return invalid("unknown ulimit %q", u.Name)
		}
	}
	if c.Image == "latest" || c.Image == "stable" || strings.HasPrefix(c.Image, "+") {
		return invalid("the image %q is a channel, not a fixed version", c.Image)
	}
	if c.Network == "host" {
		err := fault.Errorf(fault.ErrUnsupported, "a cluster in the host network is reachable from other machines")
		return fault.WithHint(err, "remove network: host, and publish ports instead: --port HOST:CONTAINER")
	}
	return nil
}

// disables reports whether a configuration disables a component of k3s.
func disables(c *v1alpha5.SimpleConfig, part string) bool {
	if c == nil {
		return false
	}
	for _, a := range c.Options.K3sOptions.ExtraArgs {
		if list, ok := strings.CutPrefix(a.Arg, "--disable="); ok && slices.Contains(strings.Split(list, ","), part) {
			return true
		}
	}
	return false
}

// without returns what a configuration has k3s leave out.
func without(c *v1alpha5.SimpleConfig) providers.Without {
	if c == nil {
		return providers.Without{}
	}
	has := func(arg string) bool {
		return slices.ContainsFunc(c.Options.K3sOptions.ExtraArgs, func(a v1alpha5.K3sArgWithNodeFilters) bool {
			return strings.TrimSuffix(a.Arg, "=true") == arg
		})
	}
	return providers.Without{CNI: has("--flannel-backend=none"), KubeProxy: has("--disable-kube-proxy"), DNS: disables(c, "coredns")}
}

func invalid(format string, a ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the configuration for k3d: %w", fmt.Errorf(format, a...))
	return fault.WithHint(err, "see https://k3d.io/stable/usage/configfile/")
}

// conflict returns the error of a configuration for k3d that differs from the rest of the spec.
func conflict(format string, a ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the configuration for k3d conflicts with the flags or the lab file: %w", fmt.Errorf(format, a...))
	return fault.WithHint(err, "set it in one place only")
}
