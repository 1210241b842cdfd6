// Package addons defines addons, the software that lab installs in clusters. An addon is data: a
// chart, the addons that it needs, its values on each kind of cluster, and the checks that it works.
// [Builtin] is lab's catalog, with one YAML file per addon. Users add their own files of the same
// form.
//
// Three interfaces do the work, with one implementation each: [Source] reads charts (package
// charts), [Installer] installs them (package helm), and [Checker] checks whether they work (package
// ready). Values depend on a cluster's traits, never on its flavor.
package addons
