#!/bin/sh
# compare.sh [ROUNDS]: how long lab-engine takes to create a cluster, beside
# `kwokctl create cluster --runtime binary`, in turns, on the same machine.
#
# Both are built from this module's versions, outside of the repository. The peer
# has two times: until `kwokctl create --wait` returns, which is an API server that
# answers; and until it is what lab-engine calls ready: three nodes that take pods,
# and a default service account. Memory is the proportional set size of all
# processes, two seconds after that.
set -eu
rounds=${1:-5}
here=$(cd "$(dirname "$0")" && pwd)
work=${COMPARE_DIR:-$(mktemp -d)}
export GOFLAGS="-mod=mod -trimpath" KWOK_KUBE_VERSION=v1.37.2
mkdir -p "$work/home" "$work/bin"

build() {
	cp "$here/go.mod" "$here/go.sum" "$work"
	sed -i 's#^module .*#module peer#' "$work/go.mod"
	k=k8s.io/component-base/version
	c=k8s.io/client-go/pkg/version
	flags="-s -w -X $k.gitVersion=v1.37.2 -X $k.gitMajor=1 -X $k.gitMinor=37 -X $c.gitVersion=v1.37.2"
	(cd "$work" && go build -ldflags "$flags" -o bin/ \
		k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager \
		k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubectl \
		sigs.k8s.io/kwok/cmd/kwok sigs.k8s.io/kwok/cmd/kwokctl)
	(cd "$work" && go build -ldflags "-s -w" -o bin/etcd go.etcd.io/etcd/server/v3)
	(cd "$here" && GOFLAGS=-trimpath go build -tags kustomize_disable_go_plugin_support -ldflags "-s -w" -o "$work/bin/lab-engine" .)
}

now() { date +%s%N; }
since() { echo $((($(now) - $1) / 1000000)); }
pss() { for p in "$@"; do awk '/^Pss:/ {print $2}' "/proc/$p/smaps_rollup"; done | awk '{s += $1} END {printf "%d", s / 1024}'; }

ours() {
	dir="$work/lab"
	rm -rf "$dir" && mkdir -p -m 700 "$dir/logs"
	echo '{"apiVersion":"lab/v1alpha1","kind":"EngineConfig","name":"lab","controlPlane":"lab-control-plane","workers":2}' >"$dir/engine.json"
	mkfifo "$dir/report"
	t=$(now)
	"$work/bin/lab-engine" serve --dir "$dir" --report-fd 3 3>"$dir/report" >"$dir/logs/panic.log" 2>&1 &
	pid=$!
	cat "$dir/report" >/dev/null # until it is closed: ready
	took=$(since "$t")
	sleep 2
	echo "lab-engine ready $took ms, $(pss $pid) MB"
	kill $pid && wait $pid
}

peer() {
	b="$work/bin"
	export KWOK_KUBE_APISERVER_BINARY="$b/kube-apiserver" KWOK_KUBE_CONTROLLER_MANAGER_BINARY="$b/kube-controller-manager"
	export KWOK_KUBE_SCHEDULER_BINARY="$b/kube-scheduler" KWOK_ETCD_BINARY="$b/etcd" KWOK_CONTROLLER_BINARY="$b/kwok" KWOK_KUBECTL_BINARY="$b/kubectl"
	k="$b/kubectl --kubeconfig $work/peer.kubeconfig"
	t=$(now)
	"$b/kwokctl" create cluster --runtime binary --name peer --kubeconfig "$work/peer.kubeconfig" --wait 60s >/dev/null 2>&1
	answers=$(since "$t")
	"$b/kwokctl" scale node --replicas 3 --name peer >/dev/null 2>&1
	$k wait --for=condition=Ready node --all --timeout 60s >/dev/null
	until $k get serviceaccount default >/dev/null 2>&1; do :; done
	until [ -z "$($k get nodes -o jsonpath='{.items[*].spec.taints}')" ]; do :; done
	took=$(since "$t")
	sleep 2
	echo "kwokctl answers $answers ms, ready $took ms, $(pss $(for f in "$HOME"/.kwok/clusters/peer/pids/*.pid; do cat "$f"; echo; done)) MB"
	"$b/kwokctl" delete cluster --name peer --kubeconfig "$work/peer.kubeconfig" >/dev/null 2>&1
}

[ -x "$work/bin/lab-engine" ] && [ -x "$work/bin/kwokctl" ] || build
export HOME="$work/home" # what kwokctl keeps, it keeps there; Go had the real one to build with
i=0
while [ $i -lt "$rounds" ]; do
	ours
	peer
	i=$((i + 1))
done
