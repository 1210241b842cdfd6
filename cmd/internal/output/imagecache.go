package output

// ImageCache is the cache of images.
type ImageCache struct {
	Meta
	State       string                   `json:"state"`    // running, stopped or failed
	Address     string                   `json:"address"`  // on this machine; empty unless it runs
	Networks    []string                 `json:"networks"` // of clusters, to which it is connected
	Directory   string                   `json:"directory"`
	SizeBytes   int64                    `json:"sizeBytes"`
	PinnedBytes int64                    `json:"pinnedBytes"` // of them, those that bundles contain
	Images      []string                 `json:"images"`
	Registries  []ImageCacheFromRegistry `json:"registries"` // since the cache started
}

// ImageCacheFromRegistry counts the requests to a registry.
type ImageCacheFromRegistry struct {
	Name            string `json:"name"`
	Requests        int64  `json:"requests"`        // of clusters
	Failed          int64  `json:"failed"`          // of them, those that the cache did not answer
	Asked           int64  `json:"asked"`           // requests to the registry
	DownloadedBytes int64  `json:"downloadedBytes"` // from the registry
}
