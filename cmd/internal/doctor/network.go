package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/providers/hostport"
)

// ports looks at those that an ingress is published on.
func (m Machine) ports(ctx context.Context) []Finding {
	var found []Finding
	for _, port := range []int{80, 443} {
		check := fmt.Sprintf("port %d", port)
		if !m.Answers(ctx, fmt.Sprintf("127.0.0.1:%d", port)) {
			found = append(found, ok(check, "free"))
			continue
		}
		f := Finding{check, Warning, "taken", "an ingress on it cannot be published, and lab chooses another port", "end what listens there, if you want the port"}
		if holder := m.holder(ctx, port); holder != "" {
			f.Found = "taken by " + holder
		}
		found = append(found, f)
	}
	return found
}

// holder names who listens on a port, as far as one without rights can see: a container,
// or a process.
func (m Machine) holder(ctx context.Context, port int) string {
	if _, err := m.LookPath("docker"); err == nil {
		out, err := m.Run(ctx, "docker", "ps", "--filter", fmt.Sprintf("publish=%d", port), "--format", "{{.Names}}")
		if name, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n"); err == nil && name != "" {
			return "the container " + name
		}
	}
	if m.OS == linux {
		name, pid := hostport.Holder(m.Root, hostport.Port{Number: port})
		if pid == 0 {
			return ""
		}
		return fmt.Sprintf("%s (process %d)", name, pid)
	}
	out, err := m.Run(ctx, "lsof", "-nP", fmt.Sprintf("-iTCP:%d", port), "-sTCP:LISTEN", "-Fpc")
	if err != nil {
		return ""
	}
	fields := map[byte]string{}
	for line := range strings.Lines(string(out)) {
		fields[line[0]] = strings.TrimSpace(line[1:])
	}
	return fmt.Sprintf("%s (process %s)", fields['c'], fields['p'])
}

// proxies looks at what stands between tools and clusters.
func (m Machine) proxies(context.Context) []Finding {
	proxy := ""
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if value := m.Getenv(name); value != "" && proxy == "" {
			proxy = name + "=" + redacted(value)
		}
	}
	if proxy == "" {
		return []Finding{m.dockerProxy()}
	}
	f := ok("proxy", proxy)
	direct := m.Getenv("NO_PROXY") + "," + m.Getenv("no_proxy")
	if !strings.Contains(direct, "127.0.0.1") || !strings.Contains(direct, "localhost") {
		f.Level, f.Why = Warning, "some tools ask the proxy for clusters on this machine, which it cannot reach"
		f.Mend = "export NO_PROXY=localhost,127.0.0.1,.svc,.cluster.local"
	}
	return []Finding{f}
}

// dockerProxy looks at the proxy that docker sets in every container, nodes included, because its
// own configuration says so (https://docs.docker.com/engine/cli/proxy/).
func (m Machine) dockerProxy() Finding {
	file := filepath.Join(cmp.Or(m.Getenv("DOCKER_CONFIG"), filepath.Join(m.Getenv("HOME"), ".docker")), "config.json")
	var config struct {
		Proxies map[string]struct{ HTTPProxy, HTTPSProxy, NoProxy string }
	}
	_ = json.Unmarshal([]byte(m.read(file)), &config) // without a configuration that can be read docker sets none
	p := config.Proxies["default"]
	url := cmp.Or(p.HTTPSProxy, p.HTTPProxy)
	if url == "" {
		return ok("proxy", "none")
	}
	f := ok("proxy", fmt.Sprintf("%s in every container, by proxies.default in %s", redacted(url), file))
	if !strings.Contains(p.NoProxy, "10.") {
		f.Level, f.Why = Warning, "nodes ask the proxy for addresses of their own cluster, which it cannot reach"
		f.Mend = `add to proxies.default in that file: "noProxy": "localhost,127.0.0.1,10.96.0.0/12,10.244.0.0/16,192.168.0.0/16,.svc,.cluster.local"`
	}
	return f
}

// redacted is a URL without the name and password in it.
func redacted(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "(not a URL)"
	}
	return u.Scheme + "://" + u.Host
}

// authorities looks at the file of certificates that programs are told to trust.
func (m Machine) authorities(context.Context) []Finding {
	path := m.Getenv("SSL_CERT_FILE")
	if path == "" {
		return nil
	}
	f := Finding{"certificate authorities", Warning, "SSL_CERT_FILE=" + path, "no download from a TLS server works", "correct it, or: unset SSL_CERT_FILE"}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Found = lastLine(err)
		return []Finding{f}
	}
	count := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err == nil && m.Now().Before(c.NotAfter) {
			count++
		}
	}
	if count == 0 {
		f.Found += ": it has no certificate that is valid now"
		return []Finding{f}
	}
	return []Finding{ok(f.Check, fmt.Sprintf("%d in %s", count, path))}
}
