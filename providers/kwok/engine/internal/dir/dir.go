// Package dir is the directory of one cluster: where things lie in it, what it
// tells of the engine, and the lock that shows whether one is alive.
// PROTOCOL.md describes it for those who read it from outside.
package dir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Where things lie, from the cluster's directory. The engine makes it its working
// directory: a path to a socket holds at most 103 bytes on some systems, and a
// directory may well be deeper than that.
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
	// EngineKubeconfig is how the components of the engine reach its API server.
	EngineKubeconfig = "pki/engine.kubeconfig"
)

// Config is what to run, as the adapter wrote it.
type Config struct {
	APIVersion   string `json:"apiVersion"`
	Kind         string `json:"kind"`
	Name         string `json:"name"`         // of the cluster
	ControlPlane string `json:"controlPlane"` // name of its node
	Workers      int    `json:"workers"`      // how many nodes besides
	Native       string `json:"native"`       // what people configure, for package settings
}

// Enter makes path the working directory, sees to it that nobody else may look
// into it, and reads what to run there. A missing or unreadable engine.json is an
// error, as is one of another kind or version.
func Enter(path string) (Config, error) {
	if err := os.Chdir(path); err != nil {
		return Config{}, err
	}
	// 0700 is what keeps the sockets in here from other users of the machine.
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
		return c, fmt.Errorf("%s names no cluster or no control plane", ConfigFile)
	case c.Workers < 0:
		return c, fmt.Errorf("%s asks for %d workers", ConfigFile, c.Workers)
	}
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

// WriteFile replaces the file name in one step, readable by its owner only, so
// that a reader sees the old contents or the new, and a crash leaves one of both.
func WriteFile(name string, contents []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed, as it should
	_, err = tmp.Write(contents)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
