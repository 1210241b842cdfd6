// Package helm puts charts into clusters with Helm's own code, and is the only one that
// imports it.
//
// Three things are done here and not by Helm. Waiting: Helm's waits take no context, and
// say "timed out" where the cluster knows why; package ready does it. Cancelling: an
// install that Helm is told to cancel goes on in the background, so here it runs to its
// end, over connections that end with the context. And custom resource definitions, which
// Helm never upgrades: they are applied by the server, before all else.
package helm
