package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// standardInput stands for standard input where a flag or an argument is a file.
const standardInput = "-"

// maxFile is the maximum size of a file in bytes. Kubernetes stores at most 1 MiB in a ConfigMap
// or a Secret, see https://kubernetes.io/docs/concepts/configuration/secret/.
const maxFile = 1 << 20

// read returns the contents of the file of a flag; what names its contents in errors. It reads
// the file once, so the file may be a pipe. It returns ErrInvalid if the file does not exist or
// is larger than maxFile, and ErrUnavailable if it cannot be read.
func (c *command) read(flag, what, path string) ([]byte, error) {
	f, err := c.openFile(flag, path)
	if err != nil {
		return nil, unreadable(what, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(what, err)
	}
	if len(data) > maxFile {
		err := usage("cannot read %s: %s is larger than %s, the most that Kubernetes stores in an object", what, path, event.Size(maxFile))
		return nil, fault.WithHint(err, "use a smaller file")
	}
	return data, nil
}

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

// unreadable returns the error of a file that the command line names: ErrInvalid if it does not
// exist, and ErrUnavailable if it cannot be read.
func unreadable(what string, err error) error {
	switch {
	case errors.Is(err, fault.ErrInvalid): // standard input was read before
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fault.WithHint(usage("cannot read %s: %w", what, err), "check the path; a relative path starts in the current directory, and - is standard input")
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot read %s: %w", what, err), "make it a file that you can read")
}

// written returns the layer of the file and the profile. Both may be "". Errors: those of
// [profiles.LoadFile], but ErrInvalid if one of them is the path of a file that does not exist.
func (c *command) written(file, profile string) (profiles.Layer, error) {
	l, err := c.load(file, profile)
	missing, ok := errors.AsType[*fs.PathError](err)
	if ok && errors.Is(missing, fs.ErrNotExist) && (missing.Path == file || missing.Path == profile) {
		return l, unreadable(missing.Path, missing)
	}
	return l, err
}

func (c *command) load(file, profile string) (profiles.Layer, error) {
	switch {
	case file == standardInput:
		in, err := c.openFile("--file", file)
		if err != nil {
			return profiles.Layer{}, err
		}
		return profiles.LoadFrom(in, profile)
	case file != "":
		return profiles.LoadFile(file, profile)
	case profile != "":
		return profiles.Load(profile)
	}
	return profiles.Layer{}, nil
}
