// Package controlplane runs etcd and the programs of Kubernetes in this process.
//
// Each takes its settings as the flags of the real program, so that what is set
// here reads like any other cluster's manifest. Paths are those of package dir,
// from the cluster's directory, which is the working directory.
package controlplane

import (
	"context"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// quota is how large the database may grow, in bytes: as much as etcd advises at
// most. Files are as large as what is in them, so this costs nothing.
const quota = 8 << 30

// RunEtcd runs etcd on sockets in the working directory until ctx is cancelled,
// and calls ready when it answers. Every write is on the disk before it is
// acknowledged, as in any other etcd.
func RunEtcd(ctx context.Context, log *zap.Logger, ready func()) error {
	etcd, err := embed.StartEtcd(etcdConfig(log))
	if err != nil {
		return err
	}
	defer etcd.Close()
	// First what matters, and what calls in flight wait for: Close alone would give
	// them two seconds to end by themselves.
	defer etcd.Server.Stop()
	select {
	case <-etcd.Server.ReadyNotify():
		ready()
	case <-ctx.Done():
		return nil
	case err := <-etcd.Err():
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-etcd.Err():
		return err
	}
}

func etcdConfig(log *zap.Logger) *embed.Config {
	client := url.URL{Scheme: "unix", Host: dir.EtcdSocket}
	peer := url.URL{Scheme: "unix", Host: dir.PeerSocket}

	c := embed.NewConfig()
	c.Name = "lab"
	c.Dir = dir.Etcd
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	// A member without peers elects itself, after having waited this long for others.
	c.TickMs, c.ElectionMs = 10, 100
	c.QuotaBackendBytes = quota
	c.EnableGRPCGateway = false // JSON over HTTP, which the API server does not speak
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	return c
}
