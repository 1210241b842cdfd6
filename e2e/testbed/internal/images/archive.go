package images

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// config is the part of an image's configuration that the test bed sets. See the OCI image specification.
type config struct {
	Entrypoint []string            `json:",omitempty"`
	Cmd        []string            `json:",omitempty"`
	Env        []string            `json:",omitempty"`
	Labels     map[string]string   `json:",omitempty"`
	Volumes    map[string]struct{} `json:",omitempty"`
	StopSignal string              `json:",omitempty"`
}

// image is a container image whose layers are tar files.
type image struct {
	Tags   []string
	Config config
	Layers []string // paths, lowest first
}

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// save writes the image to path as an archive for `docker load` and `ctr images import`. The same layers and
// configuration give the same image ID, so rebuilding an image does not create another one.
func (i image) save(path string) (err error) {
	out, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	defer func() {
		out.Close()
		if err == nil {
			err = os.Rename(path+".part", path)
		}
	}()
	w := tar.NewWriter(out)
	var ids, names []string
	for _, layer := range i.Layers {
		id, err := digest(layer)
		if err != nil {
			return err
		}
		name := id + "/layer.tar"
		if err := addFile(w, name, layer); err != nil {
			return err
		}
		ids, names = append(ids, "sha256:"+id), append(names, name)
	}
	document, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": i.Config,
		"created": "1970-01-01T00:00:00Z",
		"rootfs":  map[string]any{"type": "layers", "diff_ids": ids},
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(document)
	name := hex.EncodeToString(sum[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{{"Config": name, "RepoTags": i.Tags, "Layers": names}})
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		data []byte
	}{{name, document}, {"manifest.json", manifest}} {
		if err := w.WriteHeader(&tar.Header{Name: part.name, Mode: 0o644, Size: int64(len(part.data))}); err != nil {
			return err
		}
		if _, err := w.Write(part.data); err != nil {
			return err
		}
	}
	return w.Close()
}

func addFile(w *tar.Writer, name, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

// digest returns the SHA-256 of a file in hexadecimal.
func digest(path string) (string, error) {
	in, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
