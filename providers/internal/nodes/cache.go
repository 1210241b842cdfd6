package nodes

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// cacheWithin bounds how long the image cache may take to answer or to accept a connection.
// Without a bound, containerd waits 30 seconds for each layer from a cache that is gone.
const cacheWithin = time.Second

// Cache is an image cache that answered when it was looked for. The methods of nil do what they
// do without a cache.
type Cache struct {
	container  string // its name, by which nodes reach it
	address    string // on this machine
	registries []string
}

// FindCache returns the image cache that the user started. It returns nil if no cache was started,
// if spec refuses it, or if it does not answer, which FindCache reports. A cache that is broken in any
// way must not prevent a creation, so there is no error.
func FindCache(ctx context.Context, started *providers.ImageCache, spec providers.Spec, report event.Reporter) *Cache {
	if started == nil || spec.NoCache {
		return nil
	}
	address, err := addressOf(ctx, started.Container)
	if err == nil {
		err = askCache(ctx, address)
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		report.Warn("not using the image cache: %v (start it again: lab cache stop && lab cache start)", err)
		return nil
	}
	return &Cache{started.Container, address, started.Registries}
}

// addressOf returns the address of the cache on this machine.
func addressOf(ctx context.Context, container string) (string, error) {
	caches, err := docker.Containers(ctx, docker.CacheLabel)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(caches, func(c docker.Container) bool { return c.Name == container })
	if i < 0 {
		return "", fmt.Errorf("the Docker Engine has no container %s", container)
	}
	address := caches[i].Published(docker.CachePort + "/tcp")
	if address == "" {
		return "", fmt.Errorf("container %s is %s", container, caches[i].State.Status)
	}
	return address, nil
}

// askCache returns an error if the cache does not answer in time.
func askCache(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, cacheWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v2/", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", address, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, resp.Status)
	}
	return nil
}

// Mirrors returns the mirrors of each registry in the order in which nodes are to ask them: the
// cache, then the one of the user's configuration, unless that is the cache itself. containerd tells
// a mirror which registry it asks for.
func (c *Cache) Mirrors(configured map[string]string) map[string][]Mirror {
	all := map[string][]Mirror{}
	if c != nil {
		for _, host := range c.registries {
			all[host] = []Mirror{{Address: "http://" + c.container + ":" + docker.CachePort, DialTimeout: cacheWithin}}
		}
	}
	for host, address := range configured {
		if c == nil || len(all[host]) == 0 || !c.is(address) {
			all[host] = append(all[host], Mirror{Address: address})
		}
	}
	return all
}

// is reports whether the address of a mirror is that of the cache.
func (c *Cache) is(address string) bool {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	host, _, _ := strings.Cut(address, "/")
	name, _, _ := strings.Cut(host, ":")
	return name == c.container || host == c.address
}

// Connect connects the cache to the network of a cluster. Nodes that cannot reach it ask the
// registries, so Connect reports a failure and returns nothing.
func (c *Cache) Connect(ctx context.Context, network string, report event.Reporter) {
	if c == nil || !isUserDefined(network) {
		return
	}
	if err := docker.Connect(ctx, network, c.container); err != nil && ctx.Err() == nil {
		report.Warn("cannot connect the image cache to the network %s: %v", network, err)
	}
}

// SetMirrors has the nodes in a network of a cluster use the cache, and the mirrors of the user's
// configuration. Without such mirrors, nodes can ask the registries, so SetMirrors reports a
// failure and returns nil.
func (c *Cache) SetMirrors(ctx context.Context, network string, nodes []docker.Container, configured map[string]string, report event.Reporter) error {
	c.Connect(ctx, network, report)
	err := setMirrors(ctx, nodes, c.Mirrors(configured))
	if err != nil && len(configured) == 0 && ctx.Err() == nil {
		report.Warn("cannot have nodes use the image cache: %v", err)
		return nil
	}
	return err
}

// isUserDefined reports whether a network is not one that every engine has: in those, containers
// of other programs could reach the cache, and names do not work.
func isUserDefined(network string) bool {
	return !slices.Contains([]string{"", "default", "bridge", "host", "none"}, network) && !strings.HasPrefix(network, "container:")
}

// pull has the engine pull an image, through the cache if that has it or can get it.
func (c *Cache) pull(ctx context.Context, image string, moved func(string)) error {
	through := c.nameOf(image)
	if through == "" || c.pullThrough(ctx, through, moved) != nil {
		return docker.Pull(ctx, image, moved)
	}
	defer func() { _ = docker.RemoveImage(context.WithoutCancel(ctx), through) }() // only this name of it
	// An image has the digests under which it was pulled, and docker tag adds none. Now that the
	// engine has the layers, a pull from the registry downloads little.
	if strings.Contains(image, "@") || docker.Tag(ctx, through, image) != nil {
		return docker.Pull(ctx, image, moved)
	}
	return nil
}

// nameOf returns the name of an image by which the engine pulls it from the cache, or "" if the
// cache does not answer for its registry.
func (c *Cache) nameOf(image string) string {
	if c == nil {
		return ""
	}
	rest, digest, pinned := strings.Cut(image, "@")
	repository, tag := docker.SplitImage(rest)
	host, path, named := strings.Cut(repository, "/")
	if !named || docker.RegistryOf(repository) != host && host != "docker.io" {
		host, path = "docker.io", repository
	}
	if host == "docker.io" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	if !slices.Contains(c.registries, host) {
		return ""
	}
	through := c.address + "/" + host + "/" + path
	switch {
	case pinned:
		return through + "@" + digest
	case tag != "":
		return through + ":" + tag
	}
	return through
}

// lookAtCacheEvery is how often pullThrough checks that the cache answers.
const lookAtCacheEvery = 2 * time.Second

// pullThrough pulls an image from the cache, and gives up when the cache stops answering: the
// engine itself would wait for minutes.
func (c *Cache) pullThrough(ctx context.Context, image string, moved func(string)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		tick := time.NewTicker(lookAtCacheEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			if err := askCache(ctx, c.address); err != nil {
				cancel(err)
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	return docker.PullOnce(ctx, image, moved)
}
