package output

import "time"

// SnapshotList is a list of snapshots.
type SnapshotList struct {
	Meta
	Items []Snapshot `json:"items"`
}

// Snapshot is a saved cluster.
type Snapshot struct {
	Meta
	Name              string    `json:"name"`
	Cluster           string    `json:"cluster"` // the name of the cluster that was saved
	Flavor            string    `json:"flavor"`
	KubernetesVersion string    `json:"kubernetesVersion"`
	Arch              string    `json:"arch"` // the processor architecture, such as amd64
	CreatedAt         time.Time `json:"createdAt"`
	SizeBytes         int64     `json:"sizeBytes"`
	Addons            []string  `json:"addons"`
	Passwords         []string  `json:"passwords"` // Secrets with passwords that lab generated
}
