#!/bin/sh
# compare.sh [ROUNDS] compares `lab up --flavor kwok` with
# `kwokctl create cluster --runtime binary --wait 60s`, alternating, on the same machine.
# It fails if the median of lab is longer.
#
# lab does more in this time: it waits for a node that accepts pods, and writes a context
# to the kubeconfig; kwokctl waits for the API server, and creates no node. Memory is the
# proportional set size of all processes two seconds later.
#
# The engine's compare.sh builds the programs in COMPARE_DIR, outside of the repository,
# and reuses them there.
set -eu
rounds=${1:-7}
root=$(cd "$(dirname "$0")/../.." && pwd)
kept=${COMPARE_DIR:-}
export COMPARE_DIR="${kept:-$(mktemp -d)}"
work=$COMPARE_DIR/program
mkdir -p "$work/home" "$COMPARE_DIR/bin"
finish() { # also deletes the cluster of an interrupted comparison
	"$b/lab" down --all --progress quiet || true
	"$b/kwokctl" delete cluster --name peer --kubeconfig "$KUBECONFIG" >/dev/null 2>&1 || true
	rm -rf "$work"
	[ -n "$kept" ] || rm -rf "$COMPARE_DIR"
}

"$root/providers/kwok/engine/compare.sh" 0
(cd "$root" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$COMPARE_DIR/bin/lab" ./cmd/lab)

b=$COMPARE_DIR/bin
export HOME="$work/home" LAB_HOME="$work/lab" KUBECONFIG="$work/kubeconfig"
export KWOK_KUBE_VERSION=v1.37.2 KWOK_ETCD_BINARY="$b/etcd" KWOK_CONTROLLER_BINARY="$b/kwok" KWOK_KUBECTL_BINARY="$b/kubectl"
export KWOK_KUBE_APISERVER_BINARY="$b/kube-apiserver" KWOK_KUBE_SCHEDULER_BINARY="$b/kube-scheduler"
export KWOK_KUBE_CONTROLLER_MANAGER_BINARY="$b/kube-controller-manager"
trap finish EXIT
trap 'exit 130' INT TERM

now() { date +%s%N; }
since() { echo $((($(now) - $1) / 1000000)); }
pss() { for p in "$@"; do awk '/^Pss:/ {print $2}' "/proc/$p/smaps_rollup"; done | awk '{s += $1} END {printf "%d", s / 1024}'; }
median() { sort -n "$1" | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }

ours() {
	t=$(now)
	"$b/lab" up compare --flavor kwok --progress quiet >/dev/null
	took=$(since "$t")
	sleep 2
	pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$LAB_HOME/state/kwok/compare/status.json")
	echo "lab      $took ms, $(pss "$pid") MB"
	echo "$took" >>"$work/ours"
	"$b/lab" down compare --progress quiet
}

peer() {
	t=$(now)
	"$b/kwokctl" create cluster --runtime binary --name peer --kubeconfig "$KUBECONFIG" --wait 60s >/dev/null 2>&1
	took=$(since "$t")
	sleep 2
	echo "kwokctl  $took ms, $(pss $(for f in "$HOME"/.kwok/clusters/peer/pids/*.pid; do cat "$f"; echo; done)) MB"
	echo "$took" >>"$work/peer"
	"$b/kwokctl" delete cluster --name peer --kubeconfig "$KUBECONFIG" >/dev/null 2>&1
}

i=0
while [ $i -lt "$rounds" ]; do
	ours
	peer
	i=$((i + 1))
done
ours=$(median "$work/ours") peer=$(median "$work/peer")
echo "medians of $rounds: lab $ours ms, kwokctl $peer ms, ratio $(awk "BEGIN {printf \"%.2f\", $ours / $peer}")"
[ "$ours" -le "$peer" ]
