package minikube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// readdress writes the addresses of nodes, by the names of their containers, into a profile,
// and keeps everything else in it.
func (h home) readdress(name string, addresses map[string]string) error {
	path := filepath.Join(h.profileDir(name), "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // some are too large for a float
	if err := d.Decode(&config); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	list, _ := config["Nodes"].([]any)
	for _, item := range list {
		node, _ := item.(map[string]any)
		container := name
		if own, _ := node["Name"].(string); own != "" && len(list) > 1 {
			container += "-" + own
		}
		if at := addresses[container]; at != "" && node != nil {
			node["IP"] = at
		}
	}
	if text, err = json.MarshalIndent(config, "", "\t"); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
