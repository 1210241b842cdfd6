package cli

import (
	"io"
	"os"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// standardInput stands for standard input where a flag takes a file.
const standardInput = "-"

// openFile opens a file that a flag names, "-" being standard input. That can be read once, so
// for a second flag it returns ErrInvalid.
func (c *command) openFile(flag, path string) (io.ReadCloser, error) {
	if path != standardInput {
		return os.Open(path)
	}
	if c.reader != "" {
		err := usage("%s - and %s - cannot both read standard input", c.reader, flag)
		return nil, fault.WithHint(err, "give one of them a file")
	}
	c.reader = flag
	return io.NopCloser(c.streams.In), nil
}

// read returns what is in a file that a flag names. Errors are those of openFile.
func (c *command) read(flag, path string) ([]byte, error) {
	f, err := c.openFile(flag, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}
