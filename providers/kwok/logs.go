package kwok

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
)

// ExportLogs copies the logs, the configuration and the status of the engine into dir. None of them
// contains secrets; it does not copy keys and the kubeconfig.
func (p *Provider) ExportLogs(ctx context.Context, ref providers.Ref, dir string) error {
	from, err := p.find(ref)
	if err != nil {
		return err
	}
	paths := []string{filepath.Join(from, configFile), filepath.Join(from, statusFile)}
	logs, err := os.ReadDir(filepath.Join(from, "logs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, log := range logs {
		if log.Type().IsRegular() {
			paths = append(paths, filepath.Join(from, "logs", log.Name()))
		}
	}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Log rotation may remove a file, and an incomplete cluster may lack any of them.
		if err := copyFile(filepath.Join(dir, filepath.Base(path)), path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
