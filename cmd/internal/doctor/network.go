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

// ports checks the ports on which an ingress is published.
func (m Machine) ports(ctx context.Context) []Finding {
	var found []Finding
	for _, port := range []int{80, 443} {
		check := fmt.Sprintf("port %d", port)
		if !m.Answers(ctx, fmt.Sprintf("127.0.0.1:%d", port)) {
			found = append(found, ok(check, "free"))
			continue
		}
		f := Finding{check, Warning, "in use", "an ingress cannot be published on it, and lab chooses another port", "stop the program that listens on it, if you want the port"}
		if holder := m.holder(ctx, port); holder != "" {
			f.Found = "in use by " + holder
		}
		found = append(found, f)
	}
	return found
}

// holder returns the container or the process that listens on a port, or "" if it cannot be found
// without privileges.
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

// proxies checks the proxy settings of the environment, or else those of docker.
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
		f.Level, f.Why = Warning, "some tools connect to clusters on this machine through the proxy, which cannot reach them"
		f.Mend = "export NO_PROXY=localhost,127.0.0.1,.svc,.cluster.local"
	}
	return []Finding{f}
}

// dockerProxy checks the proxy that docker sets in every container, nodes included, if docker's
// configuration says so (https://docs.docker.com/engine/cli/proxy/).
func (m Machine) dockerProxy() Finding {
	file := filepath.Join(cmp.Or(m.Getenv("DOCKER_CONFIG"), filepath.Join(m.Getenv("HOME"), ".docker")), "config.json")
	var config struct {
		Proxies map[string]struct{ HTTPProxy, HTTPSProxy, NoProxy string }
	}
	_ = json.Unmarshal([]byte(m.read(file)), &config) // docker sets no proxy if it cannot read its configuration
	p := config.Proxies["default"]
	url := cmp.Or(p.HTTPSProxy, p.HTTPProxy)
	if url == "" {
		return ok("proxy", "none")
	}
	f := ok("proxy", fmt.Sprintf("%s in every container, by proxies.default in %s", redacted(url), file))
	if !strings.Contains(p.NoProxy, "10.") {
		f.Level, f.Why = Warning, "nodes connect to addresses in their cluster through the proxy, which cannot reach them"
		f.Mend = `add to proxies.default in that file: "noProxy": "localhost,127.0.0.1,10.96.0.0/12,10.244.0.0/16,192.168.0.0/16,.svc,.cluster.local"`
	}
	return f
}

// redacted returns the scheme and the host of a URL, without the name and the password.
func redacted(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "(not a URL)"
	}
	return u.Scheme + "://" + u.Host
}

// authorities checks the certificates in the file that SSL_CERT_FILE names.
func (m Machine) authorities(context.Context) []Finding {
	path := m.Getenv("SSL_CERT_FILE")
	if path == "" {
		return nil
	}
	f := Finding{"certificate authorities", Warning, "SSL_CERT_FILE=" + path, "downloads from TLS servers fail", "correct the variable, or: unset SSL_CERT_FILE"}
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
		f.Found += ": no certificate in it is valid"
		return []Finding{f}
	}
	return []Finding{ok(f.Check, fmt.Sprintf("%d in %s", count, path))}
}
