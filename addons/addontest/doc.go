// Package addontest holds the contract of [addons.Installer] as a suite that every
// installer must pass, the charts that it uses, and fakes of all three interfaces for
// tests of what stands on them.
package addontest
