package cli

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/images/cache"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newCache(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Keep images on this machine, so that nothing is downloaded twice",
		Long: `Keep the images of public registries on this machine. The cache is a container on the
Docker Engine. It answers on the loopback only, stores no credentials, and contains only
images that everybody may download. Container engines that ask it for anything else ask
the registry itself.

While it is started, new clusters pull images through it. "lab up --no-cache" creates a
cluster that does not.

The images stay when clusters are deleted, and when the cache is stopped.`,
		Example: `  lab cache start
  docker pull 127.0.0.1:5051/docker.io/library/nginx:1.27
  lab cache status`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCacheStatus(c), newCacheStart(c), newCacheStop(c), newCachePrune(c), newCacheServe(c))
	return cmd
}

func newCacheStatus(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show whether the cache runs, and what it contains",
		Long: `Show whether the cache runs, what it contains, and what it downloaded since it started.

The exit code is 0 if the cache runs or is stopped, and 1 if it should run but does not
answer.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := c.Cache.Status(cmd.Context())
			if err != nil {
				return err
			}
			if err := printCache(c, status); err != nil {
				return err
			}
			if status.State == cache.Failed {
				return fault.WithHint(fmt.Errorf("the cache does not answer: %w", status.Problem), "start it again: lab cache stop && lab cache start")
			}
			return nil
		},
	}
}

func newCacheStart(c *command) *cobra.Command {
	limit := byteSize(cache.DefaultLimit)
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start the cache",
		Long: `Start the cache. It is started again with the Docker Engine until "lab cache stop". If it
runs already, with the same settings and the same lab, nothing changes.

The cache asks docker.io, gcr.io, ghcr.io, public.ecr.aws, quay.io, registry.k8s.io, and
the registries and mirrors of your configuration. The exit code is 5 if the Docker Engine
is not available.`,
		Example: `  lab cache start --limit 50G`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			progress := c.progress("")
			defer progress.Close()
			status, err := c.Cache.Start(cmd.Context(), int64(limit), progress.Report)
			if err != nil {
				return err
			}
			progress.Close()
			return printCache(c, status)
		},
	}
	cmd.Flags().Var(&limit, "limit", "maximum size, such as 50G ("+sizeHelp+")")
	return cmd
}

func newCacheStop(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the cache, and keep its images",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.Cache.Stop(cmd.Context()) },
	}
}

func newCachePrune(c *command) *cobra.Command {
	var keep byteSize
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove cached images",
		Long: `Remove cached images, the least recently used first, until at most --keep is left.
Images of imported bundles stay. The cache may run.`,
		Example: `  lab cache prune --keep 5G`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			removed, err := c.Cache.Prune(cmd.Context(), int64(keep))
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			progress.Note("Removed %s of images.", event.Size(removed))
			return nil
		},
	}
	cmd.Flags().Var(&keep, "keep", "size of the images that stay, such as 5G ("+sizeHelp+")")
	return cmd
}

// newCacheServe returns the command that runs in the container.
func newCacheServe(c *command) *cobra.Command {
	var listen, dir string
	var limit byteSize
	var registries map[string]string
	cmd := &cobra.Command{
		Use:    "serve",
		Short:  "Answer the requests of container engines",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var config net.ListenConfig
			l, err := config.Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return err
			}
			report := cache.Describe(func(line string) { _, _ = fmt.Fprintln(c.streams.Out, line) })
			return cache.Server{Dir: dir, Limit: int64(limit), Registries: registries, Report: report}.Serve(cmd.Context(), l)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:5051", "address to listen on")
	f.StringVar(&dir, "dir", "", "directory of the store")
	_ = cmd.MarkFlagRequired("dir")
	f.Var(&limit, "limit", "the most that the store contains")
	f.StringToStringVar(&registries, "registry", nil, "address of a registry, by its name")
	return cmd
}

func printCache(c *command, s cache.Status) error {
	out := output.ImageCache{
		Meta: output.NewMeta("ImageCache"), State: s.State, Address: s.Address, Networks: append([]string{}, s.Networks...), Directory: c.Cache.Dir,
		SizeBytes: s.Content.Bytes, PinnedBytes: s.Content.Pinned, Images: s.Content.Images, Registries: []output.ImageCacheFromRegistry{},
	}
	slices.Sort(out.Images)
	for _, name := range slices.Sorted(maps.Keys(s.Content.Registries)) {
		r := s.Content.Registries[name]
		out.Registries = append(out.Registries, output.ImageCacheFromRegistry{Name: name, Requests: r.Requests, Failed: r.Failed, Asked: r.Asked, DownloadedBytes: r.Bytes})
	}
	return ui.Print(c.streams.Out, c.format, out, func() ui.View { return cacheView(out) })
}

func cacheView(o output.ImageCache) ui.View {
	d := &ui.Details{}
	d.Add("State", o.State)
	d.Add("Address", o.Address)
	d.Add("Networks", strings.Join(o.Networks, ", "))
	d.Add("Directory", o.Directory)
	d.Add("Images", strconv.Itoa(len(o.Images)))
	d.Add("Size", event.Size(o.SizeBytes))
	if o.PinnedBytes > 0 {
		d.Add("In bundles", event.Size(o.PinnedBytes))
	}
	for _, r := range o.Registries {
		d.Add(r.Name, fmt.Sprintf("%d requests, %s downloaded", r.Requests, event.Size(r.DownloadedBytes)))
	}
	return d
}
