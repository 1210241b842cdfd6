// Package providers defines the driver of a tool that creates Kubernetes clusters, and the
// rules that are the same for all of them.
//
// [Provider] is the driver: one small interface, with one implementation per tool in the
// packages below this one. [Set] is what the rest of lab calls. It validates names and specs,
// finds a cluster of any flavor, refuses to change a cluster whose owner is not certain, and
// gives every error its context, so that drivers need not. Package providertest holds the
// contract that every driver must pass.
//
// This package imports the standard library only, and packages of lab that do the same.
package providers
