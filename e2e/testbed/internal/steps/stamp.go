package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// stamp is the stored result of a step.
type stamp struct{ Key, Product string }

// readStamp returns the stamp of a step, or the zero stamp, which matches no key, if it is missing or invalid.
func readStamp(dir, name string) stamp {
	var s stamp
	data, err := os.ReadFile(filepath.Join(dir, "stamps", name))
	if err != nil {
		return stamp{}
	}
	if _, err := fmt.Sscan(string(data), &s.Key, &s.Product); err != nil {
		return stamp{}
	}
	return s
}

func writeStamp(dir, name string, s stamp) error {
	return os.WriteFile(filepath.Join(dir, "stamps", name), fmt.Appendf(nil, "%s %s\n", s.Key, s.Product), 0o600)
}

// Digest returns a short digest of strings. Their order and boundaries count.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))[:24]
}

// DigestFiles returns a digest of the names, modes and contents of files, and of all files below directories.
func DigestFiles(paths ...string) (string, error) {
	h := sha256.New()
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, path) // root is a prefix of path
			fmt.Fprintf(h, "%s %v %d\n", rel, info.Mode(), info.Size())
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = io.Copy(h, file)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:24], nil
}
