package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Faults describe what fails on a [Machine]. They are kept in faults.json there, and apply to
// every call that begins afterwards.
type Faults struct {
	Unavailable string `json:"unavailable,omitempty"` // Check and Create fail with this message
	Hint        string `json:"hint,omitempty"`        // goes with Unavailable

	// Fail makes calls fail, by what is called: create, delete, list, kubeconfig,
	// start, stop, loadImages, saveImages, exportLogs, saveSnapshot. The value is the message.
	Fail map[string]string `json:"fail,omitempty"`

	FailStep int `json:"failStep,omitempty"` // the step of Create, from 1, in which Fail["create"] strikes
	HangStep int `json:"hangStep,omitempty"` // the step of Create, from 1, that goes on until it is cancelled

	HangSave  bool   `json:"hangSave,omitempty"`  // SaveSnapshot continues until it is cancelled; the file "saving" of the cluster shows it
	StepDelay string `json:"stepDelay,omitempty"` // how long each step of Create takes: "50ms"
	NotReady  bool   `json:"notReady,omitempty"`  // no API server answers Machine.Probe
}

// SetFaults replaces the faults; the zero value removes all.
func (m Machine) SetFaults(f Faults) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(m), 0o700); err != nil {
		return err
	}
	path := filepath.Join(string(m), "faults.json")
	return atomicfile.Write(path, b, 0o600)
}

// faults is strict, so that a misspelled fault is not ignored.
func (m Machine) faults() (Faults, error) {
	var f Faults
	b, err := os.ReadFile(filepath.Join(string(m), "faults.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("faults.json: %w", err)
	}
	if _, err := f.delay(); err != nil {
		return f, fmt.Errorf("faults.json: stepDelay: %w", err)
	}
	return f, nil
}

// begin returns the error with which a call fails at once, or nil.
func (m Machine) begin(ctx context.Context, call string) error {
	f, err := m.faults()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if message := f.Fail[call]; message != "" {
		return errors.New(message)
	}
	return nil
}

// check returns ErrUnavailable if the faults say so.
func (f Faults) check() error {
	if f.Unavailable == "" {
		return nil
	}
	err := fault.Errorf(fault.ErrUnavailable, "%s", f.Unavailable)
	if f.Hint == "" {
		return err
	}
	return fault.WithHint(err, "%s", f.Hint)
}

// step is the n-th step of Create.
func (f Faults) step(ctx context.Context, n int) error {
	delay, err := f.delay()
	if err != nil {
		return err
	}
	wait := time.After(delay)
	if n == f.HangStep {
		wait = nil // never
	}
	select {
	case <-ctx.Done():
	case <-wait:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if message := f.Fail["create"]; message != "" && n == max(f.FailStep, 1) {
		return errors.New(message)
	}
	return nil
}

func (f Faults) delay() (time.Duration, error) {
	if f.StepDelay == "" {
		return 0, nil
	}
	return time.ParseDuration(f.StepDelay)
}
