package profiles

import "sigs.k8s.io/yaml"

// File returns the profile as a file, which Parse reads again.
func (p Profile) File() ([]byte, error) {
	p.APIVersion, p.Kind = APIVersion, Kind
	return yaml.Marshal(p)
}
