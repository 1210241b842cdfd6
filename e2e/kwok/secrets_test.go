//go:build e2e && unix

package kwok

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// TestSecrets searches for keys where they must not be: in files and sockets that other users can access, in logs,
// and in arguments, which all users of the machine can read.
func TestSecrets(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	client := p.client(name)
	deploy(t, client, "web", 1)
	available(t, client, "web", time.Minute)
	p.checkModes()

	secrets := p.secretsOf(name)
	logs := t.TempDir()
	p.Must("logs", name, "--dir", logs)
	checkLogs(t, logs, secrets)
	for _, args := range p.processes() {
		requireNone(t, "the arguments of a process", args, secrets)
	}
	// Again, with logs of a stop and a start.
	p.Must("stop", name)
	p.Must("start", name)
	logs = t.TempDir()
	p.Must("logs", name, "--dir", logs)
	checkLogs(t, logs, secrets)
	p.checkModes()
	p.Must("down", name)
}

// checkModes checks the modes of lab's files. Directories of mode 0700 protect sockets and all other files; keys also
// have their own mode.
func (p *user) checkModes() {
	p.T.Helper()
	keys, sockets := 0, 0
	err := filepath.WalkDir(filepath.Join(p.labHome, "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // etcd renames files meanwhile
		}
		switch {
		case d.IsDir():
			if info.Mode().Perm() != 0o700 {
				p.T.Errorf("%s has mode %v", path, info.Mode())
			}
		case info.Mode()&fs.ModeSocket != 0:
			sockets++ // the directory protects them
		default:
			if strings.HasSuffix(path, ".key") || strings.HasSuffix(path, "kubeconfig") {
				keys++
			}
			if info.Mode().Perm()&0o077 != 0 {
				p.T.Errorf("%s has mode %v", path, info.Mode())
			}
		}
		return nil
	})
	if err != nil || keys < 4 || sockets < 2 {
		p.T.Errorf("found %d keys and %d sockets (%v)", keys, sockets, err)
	}
}

// secretsOf returns texts that only the keys of the cluster contain.
func (p *user) secretsOf(name string) []string {
	p.T.Helper()
	secrets := []string{"PRIVATE KEY"}
	config, err := clientcmd.Load([]byte(p.Must("kubeconfig", name)))
	if err != nil {
		p.T.Fatal(err)
	}
	pem := ""
	for _, user := range config.AuthInfos {
		pem += string(user.ClientKeyData)
	}
	keys, _ := filepath.Glob(filepath.Join(p.directory(name), "pki", "*.key"))
	for _, key := range keys {
		pem += read(p.T, key)
	}
	for line := range strings.Lines(pem) {
		if line = strings.TrimSpace(line); len(line) > 40 && !strings.HasPrefix(line, "-") {
			secrets = append(secrets, line)
		}
	}
	if len(secrets) < 10 {
		p.T.Fatalf("only %d lines of keys", len(secrets))
	}
	return secrets
}

func checkLogs(t *testing.T, dir string, secrets []string) {
	t.Helper()
	files := filesBelow(t, dir)
	size := 0
	for _, path := range files {
		text := read(t, path)
		requireNone(t, path, text, secrets)
		if filepath.Base(path) == "engine.log" {
			size = len(text)
		}
		if info, err := os.Stat(path); err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	if size < 100 {
		t.Errorf("engine.log has %d bytes among %v", size, files)
	}
}

func requireNone(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s contains %.20q", where, secret)
		}
	}
}
