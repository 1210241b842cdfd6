package exercises

import (
	"embed"
	"io/fs"
)

//go:embed all:lecture
var builtin embed.FS

// Builtin returns the pack that is part of lab. It returns an error if the pack is not valid, which
// a test prevents.
func Builtin() (*Pack, error) {
	files, err := fs.Sub(builtin, "lecture")
	if err != nil {
		return nil, err
	}
	return Load(files, "lecture")
}
