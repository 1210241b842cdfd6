// Package settings reads the user's configuration of the control plane: KWOK's configuration, and the
// configuration kinds of the components of Kubernetes. All of it is inline, because the engine reads no
// file outside its directory.
package settings

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	apiserverv1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// Components whose arguments users can set.
const (
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
)

// Paths of configuration files, relative to the directory of the cluster.
const (
	AuditPolicyFile = dir.Settings + "/audit-policy.yaml"
	AdmissionFile   = dir.Settings + "/admission.yaml"
	SchedulerFile   = dir.Settings + "/scheduler.yaml"
	auditLog        = "audit/audit.log" // not in logs, which are exported, because it may contain secrets
)

// Settings are the settings of the user, in addition to those of the engine.
type Settings struct {
	// FeatureGates is the value of --feature-gates. All components run in one
	// process, so they share it.
	FeatureGates string
	// Own are the flags, by component, that name Files.
	Own map[string][]string
	// Args are the flags of the user, by component.
	Args map[string][]string
	// Files are the contents of files, by path relative to the directory of the cluster.
	Files map[string][]byte
}

// Parse reads one or more YAML documents. It returns an error with the number of the document for an
// unknown kind or field, and for a field that names a file.
func Parse(text []byte) (Settings, error) {
	s := Settings{Own: map[string][]string{}, Args: map[string][]string{}, Files: map[string][]byte{}}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil {
			err = s.add(document)
		}
		if err != nil {
			return s, fmt.Errorf("document %d: %w", n, err)
		}
	}
}

func (s *Settings) add(document []byte) error {
	var content map[string]any
	if err := decode(document, &content); err != nil {
		return err
	}
	if len(content) == 0 {
		return nil
	}
	version, _ := content["apiVersion"].(string)
	kind, _ := content["kind"].(string)
	var err error
	switch version + " " + kind {
	case "config.kwok.x-k8s.io/v1alpha1 KwokctlConfiguration":
		err = s.addKwokctl(document)
	case "audit.k8s.io/v1 Policy":
		err = cmp.Or(decode(document, new(auditv1.Policy)), s.addFile(APIServer, "--audit-policy-file=", AuditPolicyFile, document))
		s.Own[APIServer] = append(s.Own[APIServer], "--audit-log-path="+auditLog, "--audit-log-maxsize=10", "--audit-log-maxbackup=3")
	case "apiserver.config.k8s.io/v1 AdmissionConfiguration":
		err = cmp.Or(decode(document, new(apiserverv1.AdmissionConfiguration)), refuseFiles("", content),
			s.addFile(APIServer, "--admission-control-config-file=", AdmissionFile, document))
	case "kubescheduler.config.k8s.io/v1 KubeSchedulerConfiguration":
		err = s.addScheduler(content)
	default:
		return fmt.Errorf("a %q of %q does not configure a kwok cluster; supported are "+
			"KwokctlConfiguration of config.kwok.x-k8s.io/v1alpha1, Policy of audit.k8s.io/v1, "+
			"AdmissionConfiguration of apiserver.config.k8s.io/v1 and "+
			"KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1", kind, version)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

// decode decodes a document strictly: unknown and duplicate fields are errors.
func decode(document []byte, into any) error {
	err := yaml.UnmarshalStrict(document, into)
	if err == nil {
		return nil
	}
	words := err.Error() // starts with the names of the decoders
	for _, prefix := range []string{"error unmarshaling JSON: ", "error converting YAML to JSON: ", "while decoding JSON: ", "json: "} {
		words = strings.TrimPrefix(words, prefix)
	}
	return errors.New(words)
}

func (s *Settings) addFile(component, flag, path string, contents []byte) error {
	if s.Files[path] != nil {
		return errors.New("duplicate document")
	}
	s.Files[path] = contents
	s.Own[component] = append(s.Own[component], flag+path)
	return nil
}

// addScheduler adds the configuration of the scheduler, with the connection of the engine: with a
// configuration file, the scheduler ignores the flags for it.
func (s *Settings) addScheduler(content map[string]any) error {
	if content["clientConnection"] != nil {
		return errors.New(`"clientConnection" is set by the engine`)
	}
	if err := refuseFiles("", content); err != nil {
		return err
	}
	content["clientConnection"] = map[string]any{"kubeconfig": dir.EngineKubeconfig, "qps": 5000, "burst": 10000}
	text, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	return s.addFile(Scheduler, "--config=", SchedulerFile, text)
}

// errNamesFile is the error of a field with the path of a file.
var errNamesFile = errors.New("names a file of the machine, which the engine does not read: include its content inline")

// refuseFiles returns an error for the first field that names a file.
func refuseFiles(at string, value any) error {
	switch v := value.(type) {
	case map[string]any:
		for name, value := range v {
			field := strings.TrimPrefix(at+"."+name, ".")
			if text, ok := value.(string); ok && text != "" && namesFile(name) {
				return fmt.Errorf("%q %w", field, errNamesFile)
			}
			if err := refuseFiles(field, value); err != nil {
				return err
			}
		}
	case []any:
		for i, value := range v {
			if err := refuseFiles(fmt.Sprintf("%s[%d]", at, i), value); err != nil {
				return err
			}
		}
	}
	return nil
}

// namesFile reports whether the value of a field of that name is a path.
func namesFile(field string) bool {
	return regexp.MustCompile(`(?i)(file|path|dir|directory|kubeconfig)$`).MatchString(field)
}

// Write writes the files, and replaces those of the last start.
func (s Settings) Write() error {
	for path, contents := range s.Files {
		if err := dir.WriteFile(filepath.FromSlash(path), contents); err != nil {
			return err
		}
	}
	return nil
}
