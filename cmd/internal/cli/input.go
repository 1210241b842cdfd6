package cli

import (
	"io"
	"os"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// standardInput stands for standard input where a flag takes a file.
const standardInput = "-"

// openFile opens the file of a flag; "-" is standard input. Standard input can be read once,
// so openFile returns ErrInvalid for a second flag.
func (c *command) openFile(flag, path string) (io.ReadCloser, error) {
	if path != standardInput {
		return os.Open(path)
	}
	if c.reader != "" {
		err := usage("%s - and %s - cannot both read standard input", c.reader, flag)
		return nil, fault.WithHint(err, "use a file for one of them")
	}
	c.reader = flag
	return io.NopCloser(c.streams.In), nil
}

// read returns the contents of the file of a flag. Errors are those of openFile.
func (c *command) read(flag, path string) ([]byte, error) {
	f, err := c.openFile(flag, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}
