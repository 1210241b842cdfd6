package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// object is a JSON object. Unknown members are written back unchanged.
type object = map[string]json.RawMessage

// editBundle edits the process in the container configuration at path.
func editBundle(path string, lowest int) error {
	return edit(path, func(document object) error {
		var process object
		if err := json.Unmarshal(document["process"], &process); err != nil {
			return fmt.Errorf("process: %w", err)
		}
		if err := restrict(process, lowest); err != nil {
			return err
		}
		var err error
		document["process"], err = json.Marshal(process)
		return err
	})
}

// editProcess edits the file at path, which describes a process in a container.
func editProcess(path string, lowest int) error {
	return edit(path, func(process object) error { return restrict(process, lowest) })
}

func edit(path string, change func(object) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var document object
	if err := json.Unmarshal(data, &document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := change(document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if data, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// restrict removes CAP_SYS_RESOURCE from every capability set of process, and raises an OOM score below lowest, the
// score of this process.
func restrict(process object, lowest int) error {
	if raw, ok := process["oomScoreAdj"]; ok {
		var score int
		if err := json.Unmarshal(raw, &score); err != nil {
			return fmt.Errorf("oomScoreAdj: %w", err)
		}
		if score < lowest {
			delete(process, "oomScoreAdj")
		}
	}
	raw, ok := process["capabilities"]
	if !ok {
		return nil
	}
	var sets map[string][]string
	if err := json.Unmarshal(raw, &sets); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	for set, names := range sets {
		sets[set] = slices.DeleteFunc(names, func(name string) bool { return name == "CAP_SYS_RESOURCE" })
	}
	var err error
	process["capabilities"], err = json.Marshal(sets)
	return err
}
