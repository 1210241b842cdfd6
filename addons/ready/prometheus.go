package ready

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/clusterlab-dev/lab/addons"
)

type targets struct {
	Data struct {
		ActiveTargets []struct {
			Health    string            `json:"health"`
			Labels    map[string]string `json:"labels"`
			LastError string            `json:"lastError"`
		} `json:"activeTargets"`
	} `json:"data"`
}

type alerts struct {
	Data struct {
		Alerts []struct {
			State  string            `json:"state"`
			Labels map[string]string `json:"labels"`
		} `json:"alerts"`
	} `json:"data"`
}

// prometheus says which target does not answer, or which alert is firing, or returns "".
func (l *look) prometheus(ctx context.Context, at addons.Endpoint) string {
	missing := ""
	err := l.forward(ctx, l.in.Namespace, at, func(address string) { missing = askPrometheus(ctx, address) })
	if err != nil {
		return fmt.Sprintf("Prometheus: %v", err)
	}
	return missing
}

func askPrometheus(ctx context.Context, address string) string {
	var t targets
	var a alerts
	err := fetchJSON(ctx, address, "/api/v1/targets?state=active", &t)
	if err == nil {
		err = fetchJSON(ctx, address, "/api/v1/alerts", &a)
	}
	if err != nil {
		return fmt.Sprintf("Prometheus: %v", err)
	}
	return cmp.Or(t.missing(), a.missing())
}

func (t targets) missing() string {
	if len(t.Data.ActiveTargets) == 0 {
		return "Prometheus has no targets yet"
	}
	for _, target := range t.Data.ActiveTargets {
		if target.Health == "up" {
			continue
		}
		what := fmt.Sprintf("%s at %s", target.Labels["job"], target.Labels["instance"])
		if target.LastError == "" {
			return "Prometheus has not scraped " + what + " yet"
		}
		return "Prometheus cannot scrape " + what + ": " + target.LastError
	}
	return ""
}

// missing ignores alerts of severity none, which always fire to show that alerting works or to
// silence others, and of severity info, which require no action.
func (a alerts) missing() string {
	for _, alert := range a.Data.Alerts {
		if severity := alert.Labels["severity"]; alert.State == "firing" && severity != "none" && severity != "info" {
			return fmt.Sprintf("alert %s is firing", alert.Labels["alertname"])
		}
	}
	return ""
}

func fetchJSON(ctx context.Context, address, path string, into any) error {
	body, err := fetch(ctx, address, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}
