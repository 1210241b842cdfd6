package providers

import (
	"context"
	"io"
)

// Build describes an image to build.
type Build struct {
	Context  string    // a directory, a URL, or "-" for an archive or a Dockerfile in Stdin
	Tags     []string  // names of the image
	File     string    // the Dockerfile; "" is Dockerfile in Context
	Args     []string  // build arguments, as NAME=VALUE
	Target   string    // the stage to build; "" is the last
	Platform string    // such as linux/arm64; "" is that of the engine
	Stdin    io.Reader // for "-"; it may be nil
}

// Builder builds images with a container engine.
type Builder interface {
	// Build builds an image, which the engine has afterwards, and calls said with each line of the output of
	// the tool. It returns ErrUnavailable if the engine does not answer or cannot build.
	Build(ctx context.Context, b Build, said func(line string)) error
}
