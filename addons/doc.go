// Package addons holds what lab can put onto a cluster. An addon is data: a chart,
// what it needs, what it wants to be told on which kind of cluster, and what "works"
// means for it. [Builtin] is the catalogue that lab brings along, one YAML file an
// addon; users add their own in files of the same form.
//
// The work itself is behind three interfaces, one implementation each: [Source] brings
// charts (package charts), [Installer] puts them into a cluster (package helm), and
// [Checker] tells when they work (package ready). Values depend on a cluster's traits
// and never on the flavor that made it.
package addons
