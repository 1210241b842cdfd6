package dockertest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// handler serves the docker command, and as much of the Docker Engine's API as k3d's library
// uses (https://docs.docker.com/reference/api/engine/).
func (e *Engine) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+commandPath, e.answerCommand)
	mux.HandleFunc("HEAD /_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.51") })
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /{v}/info":                    func(*http.Request) (any, error) { return info(), nil },
		"GET /{v}/containers/json":         e.apiContainers,
		"POST /{v}/containers/create":      e.apiCreate,
		"GET /{v}/containers/{id}/json":    e.apiInspect,
		"POST /{v}/containers/{id}/start":  e.apiStart,
		"PUT /{v}/containers/{id}/archive": e.apiWrite,
		"POST /{v}/containers/{id}/exec":   e.apiExec,
		"GET /{v}/exec/{id}/json":          e.apiExecuted,
		"GET /{v}/networks":                e.apiNetworks,
		"GET /{v}/networks/{id}":           e.apiNetwork,
		"POST /{v}/networks/create":        e.apiCreateNetwork,
		"GET /{v}/volumes":                 e.apiVolumes,
		"POST /{v}/volumes/create":         e.apiCreateVolume,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			e.mu.Lock()
			defer e.mu.Unlock()
			result, err := answer(r)
			respond(w, result, err)
		})
	}
	mux.HandleFunc("GET /{v}/containers/{id}/archive", e.apiRead)
	mux.HandleFunc("GET /{v}/containers/{id}/logs", e.apiLogs)
	mux.HandleFunc("POST /{v}/exec/{id}/start", e.apiRunExec)
	return mux
}

// respond writes a result as JSON, or an error as the engine does.
func respond(w http.ResponseWriter, result any, err error) {
	status := http.StatusOK
	if err != nil {
		f := failure{http.StatusInternalServerError, err.Error()}
		errors.As(err, &f)
		status, result = f.status, map[string]string{"message": f.message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // fails only if the client has gone
}

// filters returns the filters of a list, as flags of the docker command have them.
func filters(r *http.Request) ([]string, error) {
	var byKind map[string]map[string]bool
	text := r.FormValue("filters")
	if text == "" {
		return nil, nil
	}
	var all []string
	err := json.Unmarshal([]byte(text), &byKind)
	for kind, values := range byKind {
		for value := range values {
			all = append(all, kind+"="+value)
		}
	}
	return all, err
}

func (e *Engine) apiContainers(r *http.Request) (any, error) {
	only, err := filters(r)
	found := []map[string]any{}
	for _, c := range e.containers {
		if matches(only, c.ID, c.Name, labelsOf(c.Config.Labels)) {
			found = append(found, map[string]any{"Id": c.ID, "Names": []string{"/" + c.Name}, "Image": c.Config.Image, "Labels": c.Config.Labels})
		}
	}
	return found, err
}

func (e *Engine) apiCreate(r *http.Request) (any, error) {
	c := &Node{}
	var body struct {
		NetworkingConfig struct{ EndpointsConfig map[string]docker.Endpoint }
	}
	text, err := io.ReadAll(r.Body)
	err = errors.Join(err, json.Unmarshal(text, &body), json.Unmarshal(text, &c.Config), json.Unmarshal(text, c))
	if err != nil {
		return nil, failure{http.StatusBadRequest, err.Error()}
	}
	c.Name, c.NetworkSettings.Networks = r.FormValue("name"), body.NetworkingConfig.EndpointsConfig
	err = e.add(c)
	return map[string]string{"Id": c.ID}, err
}

func (e *Engine) apiInspect(r *http.Request) (any, error) {
	c, err := e.find(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return c.inspect(), nil
}

func (e *Engine) apiStart(r *http.Request) (any, error) {
	c, err := e.find(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return nil, e.start(c)
}

// apiWrite writes the files of an archive into a container.
func (e *Engine) apiWrite(r *http.Request) (any, error) {
	c, err := e.find(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return nil, c.extract(r.FormValue("path"), r.Body)
}

// apiRead returns an archive of a file of a container.
func (e *Engine) apiRead(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(r.PathValue("id"))
	var text string
	if err == nil {
		text, err = c.read(r.FormValue("path"))
	}
	if err != nil {
		respond(w, nil, err)
		return
	}
	name := path.Base(r.FormValue("path"))
	stat, _ := json.Marshal(map[string]any{"name": name, "size": len(text), "mode": 0o600}) // of plain data: never fails
	w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString(stat))
	_, _ = w.Write(archive(name, text))
}

// apiLogs returns the output of a container, as of one with a terminal. If it is followed, the
// answer ends when the container does.
func (e *Engine) apiLogs(w http.ResponseWriter, r *http.Request) {
	text, ended, err := e.output(r.PathValue("id"))
	if err != nil {
		respond(w, nil, err)
		return
	}
	_, _ = io.WriteString(w, text)
	if r.FormValue("follow") != "1" {
		return
	}
	w.(http.Flusher).Flush()
	select {
	case <-r.Context().Done():
	case <-ended:
	}
}

// output returns what a container has printed, and a channel that is closed when it ends.
func (e *Engine) output(key string) (text string, ended <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(key)
	if err != nil {
		return "", nil, err
	}
	return c.logs, c.ended, nil
}

// execution is a command in a container.
type execution struct {
	node     *Node
	Cmd      []string
	ExitCode int
	Running  bool
}

func (e *Engine) apiExec(r *http.Request) (any, error) {
	c, err := e.find(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	x := &execution{node: c}
	id := e.newID()
	e.execs[id] = x
	return map[string]string{"Id": id}, json.NewDecoder(r.Body).Decode(x)
}

func (e *Engine) apiExecuted(r *http.Request) (any, error) {
	x, ok := e.execs[r.PathValue("id")]
	if !ok {
		return nil, failure{http.StatusNotFound, "No such exec instance: " + r.PathValue("id")}
	}
	return x, nil
}

// apiRunExec runs a command, and turns the connection into a raw stream of its output.
func (e *Engine) apiRunExec(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the client must have written it before the connection ends
	output, err := e.runExec(r.PathValue("id"))
	if err != nil {
		respond(w, nil, err)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"+
		"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"+output)
}

// runExec runs a command, keeps its exit code, and returns its output.
func (e *Engine) runExec(id string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, ok := e.execs[id]
	if !ok {
		return "", failure{http.StatusNotFound, "No such exec instance: " + id}
	}
	output, err := e.exec(x.node, nil, x.Cmd)
	if err != nil {
		x.ExitCode = 1
		output += err.Error() + "\n"
	}
	return output, nil
}

func (e *Engine) apiNetworks(r *http.Request) (any, error) {
	only, err := filters(r)
	found := []map[string]any{}
	for _, n := range e.networks {
		if matches(only, n.ID, n.Name, n.Labels) {
			found = append(found, e.inspectNetwork(n))
		}
	}
	return found, err
}

func (e *Engine) apiNetwork(r *http.Request) (any, error) {
	n, err := e.network(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return e.inspectNetwork(n), nil
}

// object is a request for a network or a volume.
type object struct {
	Name   string
	Labels map[string]string
}

func (e *Engine) apiCreateNetwork(r *http.Request) (any, error) {
	var o object
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		return nil, err
	}
	id, err := e.createNetwork(o.Name, labelsOf(o.Labels))
	return map[string]string{"Id": id}, err
}

func (e *Engine) apiVolumes(r *http.Request) (any, error) {
	only, err := filters(r)
	found := []object{}
	for name, labels := range e.volumes {
		if matches(only, name, name, labels) {
			found = append(found, object{Name: name})
		}
	}
	return map[string]any{"Volumes": found}, err
}

func (e *Engine) apiCreateVolume(r *http.Request) (any, error) {
	var o object
	err := json.NewDecoder(r.Body).Decode(&o)
	if err == nil {
		e.volumes[o.Name] = labelsOf(o.Labels)
	}
	return o, err
}
