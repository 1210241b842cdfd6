package atomicfile

import (
	"io/fs"
	"os"
)

// ReplaceBy is Replace with another function in place of os.Rename.
func ReplaceBy(tmp *os.File, path string, data []byte, mode fs.FileMode, rename func(from, to string) error) error {
	return replace(tmp, path, data, mode, rename)
}

// OverwriteFile is overwriteFile.
func OverwriteFile(f content, old, data []byte) error { return overwriteFile(f, old, data) }
