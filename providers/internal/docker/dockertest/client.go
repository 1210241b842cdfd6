package dockertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// call is one call of the docker command.
type call struct {
	Args  []string
	Stdin []byte
}

// reply is what the docker command then does.
type reply struct {
	Stdout, Stderr string
	Code           int
}

// forward has the engine at DOCKER_HOST answer a call of the docker command, and returns the
// exit code.
func forward() int {
	r, err := askEngine(os.Getenv("DOCKER_HOST"), os.Args[1:])
	if err != nil {
		r = reply{Stderr: "Cannot connect to the Docker daemon: " + err.Error() + "\n", Code: 1}
	}
	_, _ = os.Stdout.WriteString(r.Stdout)
	_, _ = os.Stderr.WriteString(r.Stderr)
	return r.Code
}

// askEngine returns the answer of the engine at host. Only some commands read their standard input.
func askEngine(host string, args []string) (r reply, err error) {
	c := call{Args: args}
	reads := func(arg string) bool { return arg == "--interactive" || arg == "-i" }
	if slices.ContainsFunc(args, reads) || len(args) > 1 && args[0] == "cp" && args[1] == "-" {
		if c.Stdin, err = io.ReadAll(os.Stdin); err != nil {
			return r, err
		}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return r, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(host, "unix://"))
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	resp, err := client.Post("http://docker"+commandPath, "application/json", bytes.NewReader(body))
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	return r, json.NewDecoder(resp.Body).Decode(&r)
}
