// Package controlplane runs etcd and the programs of Kubernetes in this process.
//
// The settings of each are flags of the real program, as in the manifests of other clusters. Paths are
// those of package dir, relative to the directory of the cluster, which is the working directory.
package controlplane

import (
	"context"
	"net/url"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// quota is the maximum size of the database in bytes: the largest that etcd recommends. The file is only
// as large as its content.
const quota = 8 << 30

// RunEtcd runs etcd on sockets in the working directory until ctx is cancelled, and calls ready when it
// answers. Writes are synced to the disk before they are acknowledged.
func RunEtcd(ctx context.Context, log *zap.Logger, ready func()) error {
	etcd, err := embed.StartEtcd(etcdConfig(log))
	if err != nil {
		return err
	}
	defer etcd.Close()
	// The server is stopped first, because Close waits up to two seconds for running calls, and they wait
	// for the server.
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

// EtcdClient returns a client of the etcd that runs in the working directory, in any process.
func EtcdClient(log *zap.Logger) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + dir.EtcdSocket}, Logger: log})
}

// RestoreEtcd creates the data of etcd in the working directory from a file that etcd's snapshot call
// wrote. It returns an error if the checksum in the file is wrong, or if there is data already.
func RestoreEtcd(log *zap.Logger, file string) error {
	c := etcdConfig(log)
	return snapshot.NewV3(log).Restore(snapshot.RestoreConfig{
		SnapshotPath:        file,
		Name:                c.Name,
		OutputDataDir:       c.Dir,
		PeerURLs:            []string{c.AdvertisePeerUrls[0].String()},
		InitialCluster:      c.InitialCluster,
		InitialClusterToken: c.InitialClusterToken,
	})
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
	// A member without peers waits this long for others before it elects itself.
	c.TickMs, c.ElectionMs = 10, 100
	c.QuotaBackendBytes = quota
	c.EnableGRPCGateway = false // JSON over HTTP, which the API server does not use
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	return c
}
