package dockertest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// run carries out a docker command, and returns what it prints. Commands that lab and its tools
// do not use fail.
func (e *Engine) run(args []string, stdin []byte) (string, error) {
	name, rest := args[0], args[1:]
	if slices.Contains([]string{"network", "volume", "image", "context"}, name) && len(rest) > 0 {
		name, rest = name+" "+rest[0], rest[1:]
	}
	f, words := flags(rest)
	switch name {
	case "-v", "pull", "update", "context ls":
		return "", nil
	case "info":
		return execute(f.last("format", "f"), map[string]any{"ServerVersion": "28.0.0", "CgroupVersion": "2", "MemTotal": 1 << 33, "ID": "id-of-engine",
			"KernelVersion": "0", "SecurityOptions": []string{}, "Driver": "overlay2", "DriverStatus": []string{}})
	case "context inspect":
		return "default\t" + Host(true) + "\n", nil
	case "ps":
		return e.list(f)
	case "inspect":
		return e.inspect(f, words)
	case "run":
		return e.runContainer(rest)
	case "exec":
		return e.exec(rest, stdin)
	case "cp":
		return e.copyFile(words, stdin)
	case "logs":
		c, err := e.find(words[0])
		if err != nil {
			return "", err
		}
		return c.logs, nil
	case "top":
		return "PID COMMAND\n1 " + strings.Join(e.Programs, "\n2 ") + "\n", nil
	case "rm", "stop", "start", "restart", "unpause":
		return "", e.each(name, words)
	case "rename":
		c, err := e.find(words[0])
		if err == nil {
			c.Name = words[1]
		}
		return "", err
	}
	return e.runOther(name, f, words)
}

// runOther carries out the commands for images, networks and volumes.
func (e *Engine) runOther(name string, f flagSet, words []string) (string, error) {
	switch name {
	case "image inspect":
		if strings.Contains(words[0], "no-such-image") {
			return "", fmt.Errorf("Error: No such image: %s", words[0])
		}
		return "linux/amd64 sha256:0\n", nil
	case "image ls":
		return "v1.37.0\n", nil
	case "save":
		return "", os.WriteFile(f.last("output", "o"), archive("manifest.json", `[{"RepoTags":["`+words[0]+`"]}]`), 0o600)
	case "network ls":
		return e.listObjects(f, e.networks)
	case "network inspect":
		return execute(f.last("format", "f"), e.networksNamed(words))
	case "network create":
		if slices.ContainsFunc(e.networks, func(o docker.Object) bool { return o.Name == words[0] }) {
			return "", errors.New("Error response from daemon: network with name " + words[0] + " already exists")
		}
		e.created++
		e.networks = append(e.networks, docker.Object{ID: fmt.Sprintf("%064x", e.created), Name: words[0], Labels: f["label"]})
		return "", nil
	case "network rm":
		e.networks = slices.DeleteFunc(e.networks, func(o docker.Object) bool { return slices.Contains(words, o.ID) || slices.Contains(words, o.Name) })
		return "", nil
	case "network connect", "network disconnect":
		return "", nil
	case "volume ls":
		var all []docker.Object
		for name, labels := range e.volumes {
			all = append(all, docker.Object{ID: name, Name: name, Labels: labels})
		}
		return e.listObjects(f, all)
	case "volume create":
		e.volumes[words[0]] = f["label"]
		return "", nil
	case "volume rm":
		for _, name := range words {
			delete(e.volumes, name)
		}
		return "", nil
	}
	return "", fmt.Errorf("the fake engine does not know docker %s %q", name, words)
}

// flagSet has the values of flags by their names.
type flagSet map[string][]string

func (f flagSet) last(names ...string) string {
	for _, name := range names {
		if values := f[name]; len(values) > 0 {
			return values[len(values)-1]
		}
	}
	return ""
}

// flags returns the flags before the first word, and the words.
func flags(args []string) (flagSet, []string) {
	const alone = " a all d detach force f-logs follow follow-link i interactive init ip-masq no-trunc privileged q quiet rm t tty v-rm volumes-rm ipv6 "
	f := flagSet{}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "-" {
		name, value, ok := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		args = args[1:]
		if !ok && !strings.Contains(alone, " "+name+" ") && len(args) > 0 && !(name == "volumes" || name == "f" && !strings.Contains(args[0], "{{")) {
			value, args = args[0], args[1:]
		}
		f[name] = append(f[name], value)
	}
	return f, args
}

// execute prints data by a template, or as JSON.
func execute(format string, data any) (string, error) {
	toJSON := func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	}
	if format == "" {
		return toJSON(data)
	}
	t, err := template.New("").Funcs(template.FuncMap{"json": toJSON}).Parse(format)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, data)
	return b.String() + "\n", err
}

// row is what docker ps prints of a container.
type row struct {
	ID, Names string
	labels    map[string]string
}

// Label returns the value of a label.
func (r row) Label(key string) string { return r.labels[key] }

func (e *Engine) list(f flagSet) (string, error) {
	format := f.last("format")
	if format == "" {
		format = "{{.ID}}"
	}
	out := ""
	for _, c := range e.containers {
		labels := labelsOf(c.Config.Labels)
		if !matches(f["filter"], c.Name, labels) {
			continue
		}
		line, err := execute(format, row{c.ID, c.Name, c.Config.Labels})
		if err != nil {
			return "", err
		}
		out += line
	}
	return out, nil
}

func labelsOf(labels map[string]string) []string {
	var list []string
	for k, v := range labels {
		list = append(list, k+"="+v)
	}
	return list
}

// matches reports whether an object passes filters such as label=KEY and name=PATTERN.
func matches(filters []string, name string, labels []string) bool {
	for _, filter := range filters {
		kind, want, _ := strings.Cut(filter, "=")
		switch kind {
		case "label":
			if !slices.ContainsFunc(labels, func(l string) bool { return l == want || strings.HasPrefix(l, want+"=") }) {
				return false
			}
		case "name":
			if !regexp.MustCompile(want).MatchString(name) {
				return false
			}
		}
	}
	return true
}

func (e *Engine) listObjects(f flagSet, all []docker.Object) (string, error) {
	format := f.last("format")
	if format == "" {
		format = "{{.Name}}"
	}
	out := ""
	for _, o := range all {
		if !matches(f["filter"], o.Name, o.Labels) {
			continue
		}
		line, err := execute(format, map[string]string{"ID": o.ID, "Name": o.Name, "Labels": strings.Join(o.Labels, ",")})
		if err != nil {
			return "", err
		}
		out += line
	}
	return out, nil
}

func (e *Engine) networksNamed(names []string) []map[string]any {
	found := []map[string]any{}
	for _, o := range e.networks {
		if slices.Contains(names, o.Name) || slices.Contains(names, o.ID) {
			found = append(found, map[string]any{"Id": o.ID, "Name": o.Name, "Created": time.Unix(1, 0), "Containers": map[string]any{}})
		}
	}
	return found
}

func (e *Engine) inspect(f flagSet, words []string) (string, error) {
	if f.last("type") == "image" {
		return "[{}]", nil
	}
	found, out := []docker.Container{}, ""
	var missing error
	for _, key := range words {
		c, err := e.find(key)
		if err != nil {
			missing = errors.Join(missing, fmt.Errorf("Error: No such container: %s", key))
			continue
		}
		shown := c.Container
		shown.Name = "/" + c.Name
		found = append(found, shown)
		if format := f.last("format", "f"); format != "" {
			line, err := execute(format, asMap(shown))
			if err != nil {
				return "", err
			}
			out += line
		}
	}
	if f.last("format", "f") != "" {
		return out, missing
	}
	text, err := json.Marshal(found)
	return string(text), errors.Join(missing, err)
}

// asMap returns a container as a template sees it.
func asMap(c docker.Container) map[string]any {
	text, _ := json.Marshal(c) // of plain data: never fails
	var m map[string]any
	_ = json.Unmarshal(text, &m)
	m["Image"] = "sha256:0"
	networks, _ := m["NetworkSettings"].(map[string]any)["Networks"].(map[string]any)
	for _, n := range networks {
		n.(map[string]any)["GlobalIPv6Address"] = ""
	}
	return m
}

// exec runs a command in a container that runs.
func (e *Engine) exec(args []string, stdin []byte) (string, error) {
	_, words := flags(args)
	c, err := e.find(words[0])
	if err != nil {
		return "", err
	}
	if !c.Running() {
		return "", errors.New("Error response from daemon: container " + c.ID + " is not running")
	}
	if e.Exec == nil {
		return "", nil
	}
	return e.Exec(c, stdin, words[1:])
}

// copyFile copies the kubeconfig of a node out, or anything in.
func (e *Engine) copyFile(words []string, stdin []byte) (string, error) {
	if words[0] == "-" {
		_, err := io.Copy(io.Discard, tar.NewReader(bytes.NewReader(stdin)))
		return "", err
	}
	name, path, _ := strings.Cut(words[0], ":")
	c, err := e.find(name)
	if err != nil {
		return "", err
	}
	text := c.Kubeconfig()
	if base := filepath.Base(path); base != "admin.conf" && base != "kubeconfig.yaml" {
		return "", fmt.Errorf("Error response from daemon: Could not find the file %s in container %s", path, c.Name)
	}
	return string(archive("file", text)), nil
}

// archive returns a tar archive of one file.
func archive(name, text string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}) // into memory: never fails
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}
