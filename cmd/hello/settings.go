package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// lookup returns a variable of the environment, as os.LookupEnv.
type lookup func(name string) (value string, ok bool)

// settings are the settings of the server. Each is a variable of the environment.
type settings struct {
	Addr       string        // HELLO_ADDR: where it listens
	AdminAddr  string        // HELLO_ADMIN_ADDR: where its faults can be changed; only inside the pod by default
	Version    string        // HELLO_VERSION
	Message    string        // HELLO_MESSAGE: greets with it
	Password   string        // HELLO_PASSWORD: only its length is shown
	ConfigDir  string        // HELLO_CONFIG_DIR: a directory with files that /config and /flags show
	DataDir    string        // HELLO_DATA_DIR: where /count keeps its number
	Flags      string        // HELLO_FLAGS: feature flags, "name=true,other=false"
	Node       string        // HELLO_NODE: the node of the pod
	Pod        string        // the host name
	LogFormat  string        // HELLO_LOG_FORMAT: text or json
	LogLevel   string        // HELLO_LOG_LEVEL: debug, info, warn or error
	Memory     int           // HELLO_MEMORY: MiB that it fills at the start, as a cache does
	StartDelay time.Duration // HELLO_START_DELAY: how long it takes to start
	Drain      time.Duration // HELLO_DRAIN: how long it still serves after SIGTERM
	Drop       bool          // HELLO_DROP: after SIGTERM it ends at once and drops its requests
	Faults     faults        // HELLO_UNREADY, HELLO_ERRORS, HELLO_LATENCY, HELLO_LEAK
}

// fromEnvironment reads the settings. The error names each variable that cannot be used.
func fromEnvironment(env lookup) (settings, error) {
	get := func(name string) string {
		value, _ := env(name)
		return value
	}
	s := settings{
		Addr: cmp.Or(get("HELLO_ADDR"), ":8080"), AdminAddr: adminAddr(env), Version: cmp.Or(get("HELLO_VERSION"), "v1"),
		Message: cmp.Or(get("HELLO_MESSAGE"), "hello"), Password: get("HELLO_PASSWORD"),
		ConfigDir: get("HELLO_CONFIG_DIR"), DataDir: get("HELLO_DATA_DIR"), Flags: get("HELLO_FLAGS"), Node: get("HELLO_NODE"),
		LogFormat: cmp.Or(get("HELLO_LOG_FORMAT"), "text"), LogLevel: cmp.Or(get("HELLO_LOG_LEVEL"), "info"),
	}
	var err error
	s.Pod, err = os.Hostname()
	problems := []error{err}
	read := func(name string, set func(string) error) {
		value := get(name)
		if value == "" {
			return
		}
		if err := set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s=%q: %w", name, value, err))
		}
	}
	read("HELLO_MEMORY", mebibytes(&s.Memory))
	read("HELLO_START_DELAY", duration(&s.StartDelay))
	read("HELLO_DRAIN", duration(&s.Drain))
	read("HELLO_DROP", boolean(&s.Drop))
	for _, name := range []string{"unready", "errors", "latency", "leak"} {
		read("HELLO_"+strings.ToUpper(name), func(value string) error { return s.Faults.set(name, value) })
	}
	return s, errors.Join(problems...)
}

func adminAddr(env lookup) string {
	value, _ := env("HELLO_ADMIN_ADDR")
	return cmp.Or(value, "127.0.0.1:8081")
}

// duration sets a duration that is not negative.
func duration(d *time.Duration) func(string) error {
	return func(value string) error {
		parsed, err := time.ParseDuration(value)
		if err != nil || parsed < 0 {
			return errors.New("want a duration, such as 300ms or 10s")
		}
		*d = parsed
		return nil
	}
}

// mebibytes sets a number of MiB.
func mebibytes(n *int) func(string) error {
	return func(value string) error {
		parsed, err := strconv.Atoi(value)
		if err != nil || parsed < 0 {
			return errors.New("want a number of MiB")
		}
		*n = parsed
		return nil
	}
}

func boolean(b *bool) func(string) error {
	return func(value string) error {
		parsed, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("want true or false")
		}
		*b = parsed
		return nil
	}
}
