// Command runc-without-sysresource is runc for a machine whose bounding set lacks CAP_SYS_RESOURCE. There runc cannot
// grant what `docker run --privileged` asks for and gives up, so this program takes that one capability out of the
// container's configuration, and of a `docker exec`'s, and then becomes runc.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc-without-sysresource:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	for i, arg := range args[:max(0, len(args)-1)] {
		switch arg {
		case "--bundle", "-b":
			if err := edit(filepath.Join(args[i+1], "config.json"), "process"); err != nil {
				return err
			}
		case "--process", "-p":
			if err := edit(args[i+1], ""); err != nil {
				return err
			}
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
}

// edit removes the capability from the process that the file at path describes, which is the whole document or the
// member called key.
func edit(path, key string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var document map[string]json.RawMessage // raw: whatever else the file says is left as it is
	if err := json.Unmarshal(data, &document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	process := document
	if key != "" {
		process = nil
		if err := json.Unmarshal(document[key], &process); err != nil {
			return fmt.Errorf("%s: %s: %w", path, key, err)
		}
	}
	var capabilities map[string][]string
	if err := json.Unmarshal(process["capabilities"], &capabilities); err != nil || capabilities == nil {
		return nil // none are asked for
	}
	for set, list := range capabilities {
		capabilities[set] = slices.DeleteFunc(list, func(name string) bool { return name == "CAP_SYS_RESOURCE" })
	}
	if process["capabilities"], err = json.Marshal(capabilities); err != nil {
		return err
	}
	if key != "" {
		if document[key], err = json.Marshal(process); err != nil {
			return err
		}
	}
	if data, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
