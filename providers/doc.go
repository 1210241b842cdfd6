// Package providers defines what lab asks of a tool that makes Kubernetes
// clusters, and holds the rules that are the same for all of them.
//
// [Provider] is the driver: one small interface, one implementation a tool, in
// the packages below this one. [Set] is what the rest of lab calls: it checks
// names and specs, finds a cluster whatever its flavor, refuses to touch what it
// is not sure of, and gives every error its context, so that no driver has to.
// Package providertest holds the contract that every driver must pass.
//
// This package imports only the standard library.
package providers
