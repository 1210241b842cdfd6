package docker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// HasImage reports whether the engine has an image.
func HasImage(ctx context.Context, image string) (bool, error) {
	_, err := ask(ctx, "image", "inspect", "--format", "{{.Id}}", image)
	if err != nil && strings.Contains(err.Error(), "No such image") {
		return false, nil
	}
	return err == nil, err
}

// Tags returns the tags of the engine's images of a repository.
func Tags(ctx context.Context, repository string) ([]string, error) {
	out, err := ask(ctx, "image", "ls", "--format", "{{.Tag}}", repository)
	return strings.Fields(string(out)), err
}

// SplitImage returns the name and the tag of an image, without a digest.
func SplitImage(image string) (repository, tag string) {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		return image[:i], image[i+1:]
	}
	return image, ""
}

// attempts is how often Pull tries. Networks are unreliable, and the engine keeps the layers of
// a failed pull.
const attempts = 3

// Pull has the engine pull an image, and reports progress to moved. It returns ErrNotFound if
// the registry lacks the image, and ErrUnavailable if the registry cannot be reached.
func Pull(ctx context.Context, image string, moved func(string)) error {
	var err error
	for n := range attempts {
		if n > 0 {
			moved(fmt.Sprintf("retrying: %s", fault.FirstLine(err)))
			if err := wait(ctx, time.Duration(n)*time.Second); err != nil {
				return err
			}
		}
		if err = pull(ctx, image, moved); err == nil || ctx.Err() != nil || errors.Is(err, fault.ErrNotFound) {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("cannot pull %s: %w", image, err)
	}
	return err
}

// PullOnce is Pull with one attempt.
func PullOnce(ctx context.Context, image string, moved func(string)) error {
	return pull(ctx, image, moved)
}

// Tag gives an image of the engine another name.
func Tag(ctx context.Context, image, name string) error {
	_, err := run(ctx, "tag", image, name)
	return err
}

// pull is one attempt. docker reports the state of each layer on a separate line.
func pull(ctx context.Context, image string, moved func(string)) error {
	var stderr bytes.Buffer
	cmd := command(ctx, "pull", image)
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return failure(ctx, "pull", "", err)
	}
	layers, done := 0, 0
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		switch _, what, _ := strings.Cut(lines.Text(), ": "); what {
		case "Pulling fs layer":
			layers++
		case "Already exists":
			layers++
			done++
		case "Pull complete":
			done++
		default:
			continue
		}
		moved(fmt.Sprintf("%d of %d layers", done, layers))
	}
	_, _ = io.Copy(io.Discard, stdout) // after a line that is too long for the scanner
	err = cmd.Wait()                   // before stderr is read
	return failure(ctx, "pull", stderr.String(), err)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// RegistryWithin bounds how long a registry may take to answer: it is asked before the work
// begins, while the user waits.
const RegistryWithin = 2 * time.Second

// AskRegistry returns nil if the registry of an image answers, with any status.
func AskRegistry(ctx context.Context, image string) error {
	limited, cancel := context.WithTimeout(ctx, RegistryWithin)
	defer cancel()
	host := RegistryOf(image)
	req, err := http.NewRequestWithContext(limited, http.MethodHead, Scheme(host)+"://"+host+"/v2/", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%s did not answer within %s", host, RegistryWithin)
	case err != nil:
		return fmt.Errorf("%s: %w", host, err)
	}
	return resp.Body.Close()
}

// Scheme returns the scheme of the URL of a registry: "http" on this machine, as for Docker, else
// "https". The host may have a port.
func Scheme(host string) string {
	if name, _, _ := strings.Cut(host, ":"); name == "localhost" || strings.HasPrefix(name, "127.") {
		return "http"
	}
	return "https"
}

// RegistryOf returns the host of the registry of an image, with the port if it names one.
func RegistryOf(image string) string {
	first, _, more := strings.Cut(image, "/")
	if more && (strings.ContainsAny(first, ".:") || first == "localhost") && first != "docker.io" {
		return first
	}
	return "registry-1.docker.io"
}
