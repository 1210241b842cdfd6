package images

import (
	"embed"
	"io/fs"
	"path"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
)

// own contains this project's files in the images: IMAGE/PATH.
//
//go:embed all:files
//go:embed all:files
var own embed.FS

// ownFiles returns this project's files of an image.
func ownFiles(name string, executable ...string) ([]file, error) {
	root := path.Join("files", name)
	var files []file
	err := fs.WalkDir(own, root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := own.ReadFile(p)
		f := file{Path: p[len(root):], Content: string(data)}
		for _, dir := range executable {
			if path.Dir(f.Path) == dir {
				f.Mode = 0o755
			}
		}
		files = append(files, f)
		return err
	})
	return files, err
}

// kindFiles returns this project's files in kind's node image, and the links that kind's build creates.
func kindFiles() ([]file, error) {
	files, err := ownFiles("kind")
	wants := "/etc/systemd/system/multi-user.target.wants/"
	return append(files,
		file{Path: "/kind/version", Content: programs.Kubernetes},
		file{Path: wants + "kubelet.service", Link: "/etc/systemd/system/kubelet.service"},
		file{Path: wants + "containerd.service", Link: "/etc/systemd/system/containerd.service"},
		file{Path: wants + "undo-mount-hacks.service", Link: "/etc/systemd/system/undo-mount-hacks.service"},
		file{Path: "/etc/systemd/system/systemd-binfmt.service", Link: "/dev/null"},
		file{Path: "/etc/kubernetes/manifests", Mode: fs.ModeDir | 0o755},
	), err
}
