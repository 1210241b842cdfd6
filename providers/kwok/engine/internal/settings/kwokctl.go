package settings

import (
	"errors"
	"fmt"
	"strings"
)

// kwokctl contains the supported fields of KWOK's KwokctlConfiguration. The others, which select images,
// binaries, ports and runtimes, are rejected as unknown.
type kwokctl struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Options struct {
		KubeFeatureGates    string `json:"kubeFeatureGates"`
		KubeRuntimeConfig   string `json:"kubeRuntimeConfig"`
		KubeAuditPolicy     string `json:"kubeAuditPolicy"`
		KubeSchedulerConfig string `json:"kubeSchedulerConfig"`
		KubeAdmission       *bool  `json:"kubeAdmission"`
		KubeAuthorization   *bool  `json:"kubeAuthorization"`
	} `json:"options"`
	ComponentsPatches []struct {
		Name      string `json:"name"`
		ExtraArgs []struct {
			Key      string `json:"key"`
			Value    string `json:"value"`
			Override bool   `json:"override"`
		} `json:"extraArgs"`
	} `json:"componentsPatches"`
}

func (s *Settings) addKwokctl(document []byte) error {
	var c kwokctl
	if err := decode(document, &c); err != nil {
		return err
	}
	// lab has added the files that it could read to the configuration.
	off := func(b *bool) bool { return b != nil && !*b }
	switch {
	case c.Options.KubeAuditPolicy != "":
		return fmt.Errorf(`"options.kubeAuditPolicy": the file %s cannot be read`, c.Options.KubeAuditPolicy)
	case c.Options.KubeSchedulerConfig != "":
		return fmt.Errorf(`"options.kubeSchedulerConfig": the file %s cannot be read`, c.Options.KubeSchedulerConfig)
	case off(c.Options.KubeAdmission):
		return errors.New(`"options.kubeAdmission" cannot be false: disable single plugins, with the argument disable-admission-plugins of kube-apiserver`)
	case off(c.Options.KubeAuthorization):
		return errors.New(`"options.kubeAuthorization" cannot be false: the API server always checks RBAC`)
	}
	s.addGates(c.Options.KubeFeatureGates)
	if c.Options.KubeRuntimeConfig != "" {
		s.Args[APIServer] = append(s.Args[APIServer], "--runtime-config="+c.Options.KubeRuntimeConfig)
	}
	for _, patch := range c.ComponentsPatches {
		if patch.Name != APIServer && patch.Name != ControllerManager && patch.Name != Scheduler {
			return fmt.Errorf(`"componentsPatches" names the component %q: arguments can be given to %s, %s and %s`,
				patch.Name, APIServer, ControllerManager, Scheduler)
		}
		for _, arg := range patch.ExtraArgs {
			name := strings.TrimLeft(arg.Key, "-")
			if name == "feature-gates" {
				s.addGates(arg.Value)
				continue
			}
			s.Args[patch.Name] = append(s.Args[patch.Name], "--"+name+"="+arg.Value)
		}
	}
	return nil
}

func (s *Settings) addGates(gates string) {
	s.FeatureGates = strings.Trim(s.FeatureGates+","+gates, ",")
}
