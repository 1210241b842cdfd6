package providertest

import "github.com/clusterlab-dev/lab/providers"

// Ability is an optional ability of a provider.
type Ability string

// The optional abilities, each an interface of package providers.
const (
	StartStop  Ability = "start and stop" // providers.StartStopper
	LoadImages Ability = "load images"    // providers.ImageLoader
	ExportLogs Ability = "export logs"    // providers.LogExporter
	Snapshots  Ability = "snapshots"      // providers.Snapshotter
)

// abilities returns the abilities of p, by the interfaces that it implements.
func abilities(p providers.Provider) map[Ability]bool {
	_, startStop := p.(providers.StartStopper)
	_, loadImages := p.(providers.ImageLoader)
	_, exportLogs := p.(providers.LogExporter)
	_, snapshots := p.(providers.Snapshotter)
	return map[Ability]bool{StartStop: startStop, LoadImages: loadImages, ExportLogs: exportLogs, Snapshots: snapshots}
}

// without returns f without the methods of one ability. Methods cannot be removed from a value,
// so each combination is a struct.
func (f *fake) without(a Ability) providers.Provider {
	switch a {
	case StartStop:
		return struct {
			providers.Provider
			providers.ImageLoader
			providers.LogExporter
			providers.Snapshotter
		}{f, f, f, f}
	case LoadImages:
		return struct {
			providers.Provider
			providers.StartStopper
			providers.LogExporter
			providers.Snapshotter
		}{f, f, f, f}
	case ExportLogs:
		return struct {
			providers.Provider
			providers.StartStopper
			providers.ImageLoader
			providers.Snapshotter
		}{f, f, f, f}
	case Snapshots:
		return struct {
			providers.Provider
			providers.StartStopper
			providers.ImageLoader
			providers.LogExporter
		}{f, f, f, f}
	}
	return f
}
