package dockertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// commandPath is where the docker command reaches the engine.
const commandPath = "/docker-command"

// answerCommand carries out a call of the docker command.
func (e *Engine) answerCommand(w http.ResponseWriter, r *http.Request) {
	var c call
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		respond(w, nil, err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	stdout, err := e.run(c.Args, c.Stdin)
	if err != nil {
		respond(w, reply{Stdout: stdout, Stderr: err.Error() + "\n", Code: 1}, nil)
		return
	}
	respond(w, reply{Stdout: stdout}, nil)
}

// run carries out a docker command, and returns what it prints. Commands that lab and its tools
// do not use fail.
func (e *Engine) run(args []string, stdin []byte) (string, error) {
	name, rest := args[0], args[1:]
	if slices.Contains([]string{"network", "volume", "image", "context"}, name) && len(rest) > 0 {
		name, rest = name+" "+rest[0], rest[1:]
	}
	f, words := flags(rest)
	switch name {
	case "-v", "pull", "context ls":
		return "", nil
	case "info":
		return execute(f.last("format", "f"), info())
	case "context inspect":
		return "default\t" + e.host + "\n", nil
	case "ps":
		return e.list(f)
	case "inspect":
		return e.inspect(f, words)
	case "run":
		return e.runContainer(rest)
	case "exec":
		c, err := e.find(words[0])
		if err != nil {
			return "", err
		}
		return e.exec(c, stdin, words[1:])
	case "cp":
		return e.copyFile(words, stdin)
	case "logs":
		c, err := e.find(words[0])
		if err != nil {
			return "", err
		}
		return c.logs, nil
	case "rm", "stop", "start", "restart", "unpause", "update":
		return "", e.each(name, f, words)
	}
	return e.runOther(name, f, words)
}

// info returns what is known about the engine.
func info() map[string]any {
	return map[string]any{"ID": "id-of-engine", "Name": "fake", "ServerVersion": "28.0.0", "OSType": "linux", "OperatingSystem": "fake", "KernelVersion": "0",
		"CgroupVersion": "2", "MemTotal": 1 << 33, "SecurityOptions": []string{}, "Driver": "overlay2", "DriverStatus": []string{}}
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
		return listObjects(f, e.networks)
	case "network inspect":
		return e.inspectNetworks(f, words)
	case "network create":
		id, err := e.createNetwork(words[0], f["label"])
		return id + "\n", err
	case "network rm":
		return "", eachName(words, e.removeNetwork)
	case "volume ls":
		var all []docker.Object
		for name, labels := range e.volumes {
			all = append(all, docker.Object{ID: name, Name: name, Labels: labels})
		}
		return listObjects(f, all)
	case "volume create":
		e.volumes[words[0]] = f["label"]
		return words[0] + "\n", nil
	case "volume rm":
		return "", eachName(words, e.removeVolume)
	}
	return "", fmt.Errorf("the fake engine does not know docker %s %q", name, words)
}

// eachName calls do for all names, whatever fails.
func eachName(names []string, do func(string) error) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, do(name))
	}
	return errors.Join(errs...)
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
		if !matches(f["filter"], c.ID, c.Name, labels) {
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
func matches(filters []string, id, name string, labels []string) bool {
	for _, filter := range filters {
		kind, want, _ := strings.Cut(filter, "=")
		var passes bool
		switch kind {
		case "label":
			passes = slices.ContainsFunc(labels, func(l string) bool { return l == want || strings.HasPrefix(l, want+"=") })
		case "name":
			passes = regexp.MustCompile(want).MatchString(name)
		case "id":
			passes = regexp.MustCompile(want).MatchString(id)
		}
		if !passes {
			return false
		}
	}
	return true
}

func listObjects(f flagSet, all []docker.Object) (string, error) {
	format := f.last("format")
	if format == "" {
		format = "{{.Name}}"
	}
	out := ""
	for _, o := range all {
		if !matches(f["filter"], o.ID, o.Name, o.Labels) {
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

// inspectNetworks prints networks by a template, or as JSON.
func (e *Engine) inspectNetworks(f flagSet, keys []string) (string, error) {
	found, out := []map[string]any{}, ""
	for _, key := range keys {
		n, err := e.network(key)
		if err != nil {
			return "", err
		}
		shown := e.inspectNetwork(n)
		found = append(found, shown)
		if format := f.last("format", "f"); format != "" {
			line, err := execute(format, shown)
			if err != nil {
				return "", err
			}
			out += line
		}
	}
	if out != "" {
		return out, nil
	}
	return execute("", found)
}

// inspectNetwork returns a network as the engine shows it.
func (e *Engine) inspectNetwork(n docker.Object) map[string]any {
	members := map[string]any{}
	for _, c := range e.members(n) {
		members[c.ID] = map[string]string{"Name": c.Name, "IPv4Address": c.NetworkSettings.Networks[n.Name].IPAddress + "/16"}
	}
	return map[string]any{"Id": n.ID, "Name": n.Name, "Driver": "bridge", "Created": time.Unix(1, 0), "Options": map[string]string{},
		"IPAM": map[string]any{"Config": []map[string]string{{"Subnet": subnet, "Gateway": gateway}}}, "Containers": members}
}

func (e *Engine) inspect(f flagSet, words []string) (string, error) {
	if f.last("type") == "image" {
		return "[{}]", nil
	}
	found, out := []map[string]any{}, ""
	var missing error
	for _, key := range words {
		c, err := e.find(key)
		if err != nil {
			missing = errors.Join(missing, fmt.Errorf("Error: No such container: %s", key))
			continue
		}
		shown := c.inspect()
		found = append(found, shown)
		if format := f.last("format", "f"); format != "" {
			line, err := execute(format, shown)
			if err != nil {
				return "", err
			}
			out += line
		}
	}
	if f.last("format", "f") != "" {
		return out, missing
	}
	text, err := execute("", found)
	return text, errors.Join(missing, err)
}

// exec runs a command in a container that runs.
func (e *Engine) exec(c *Node, stdin []byte, command []string) (string, error) {
	if !c.Running() {
		return "", failure{http.StatusConflict, "container " + c.ID + " is not running"}
	}
	if e.Exec == nil {
		return "", nil
	}
	return e.Exec(c, stdin, command)
}

// copyFile copies a file to the standard output, or an archive from the standard input.
func (e *Engine) copyFile(words []string, stdin []byte) (string, error) {
	in := words[0] == "-"
	name, path, _ := strings.Cut(words[0], ":")
	if in {
		name, path, _ = strings.Cut(words[1], ":")
	}
	c, err := e.find(name)
	if err != nil {
		return "", err
	}
	if in {
		return "", c.extract(path, bytes.NewReader(stdin))
	}
	text, err := c.read(path)
	if err == nil && words[1] != "-" {
		err = fmt.Errorf("the fake engine does not copy to %s", words[1])
	}
	return string(archive("file", text)), err
}
