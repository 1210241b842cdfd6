// Package dir handles the directory of a cluster: its files, its configuration, the status of the engine,
// and the lock that shows whether an engine runs. PROTOCOL.md describes the directory.
package dir

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Paths relative to the directory of the cluster. It is the working directory of the engine, because the
// path of a socket may have at most 103 bytes on some systems.
const (
	ConfigFile     = "engine.json"
	LockFile       = "lock"
	StatusFile     = "status.json"
	KubeconfigFile = "kubeconfig"
	PKI            = "pki"
	Etcd           = "etcd"
	EtcdSocket     = "etcd.sock"
	PeerSocket     = "etcd-peer.sock"
	EgressSocket   = "egress.sock"
	Logs           = "logs"
	LogFile        = "logs/engine.log"
	Settings       = "settings"
	// EngineKubeconfig is the kubeconfig of the components of the engine.
	EngineKubeconfig = "pki/engine.kubeconfig"
)

// Config is the content of engine.json, which the adapter writes.
type Config struct {
	APIVersion   string `json:"apiVersion"`
	Kind         string `json:"kind"`
	Name         string `json:"name"`         // of the cluster
	ControlPlane string `json:"controlPlane"` // the name of its node
	Workers      int    `json:"workers"`      // the number of other nodes
	NodePrefix   string `json:"nodePrefix"`   // of the names of the other nodes; "" means Name
	Native       string `json:"native"`       // the configuration of the user, see package settings
}

// Enter changes the working directory to path, makes it accessible to the owner only, and returns the
// configuration in it. It returns an error if engine.json is missing, unreadable, or of another kind or
// version.
func Enter(path string) (Config, error) {
	if err := os.Chdir(path); err != nil {
		return Config{}, err
	}
	// Mode 0700 prevents other users of the machine from using the sockets.
	if err := os.Chmod(".", 0o700); err != nil {
		return Config{}, err
	}
	if err := Make(); err != nil {
		return Config{}, err
	}
	return readConfig()
}

// Make creates the directories below the working directory that do not exist.
func Make() error {
	for _, sub := range []string{PKI, Etcd, Logs, Settings} {
		if err := os.Mkdir(sub, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func readConfig() (Config, error) {
	var c Config
	if err := readJSON(ConfigFile, &c); err != nil {
		return c, err
	}
	switch {
	case c.APIVersion != "lab/v1alpha1" || c.Kind != "EngineConfig":
		return c, fmt.Errorf("%s is a %s %s, not an EngineConfig of lab/v1alpha1", ConfigFile, c.APIVersion, c.Kind)
	case c.Name == "" || c.ControlPlane == "":
		return c, fmt.Errorf("%s must have a name and a control plane", ConfigFile)
	case c.Workers < 0:
		return c, fmt.Errorf("%s has %d workers, must be at least 0", ConfigFile, c.Workers)
	}
	c.NodePrefix = cmp.Or(c.NodePrefix, c.Name)
	return c, nil
}

func readJSON(name string, into any) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// WriteFile replaces the file name atomically, with mode 0600: readers see either the old or the new
// content, even after a crash.
func WriteFile(name string, contents []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as intended
	_, err = tmp.Write(contents)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
