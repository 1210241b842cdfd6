//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// balancer is this node's part of the service load balancer. The ports of every Service of type LoadBalancer listen
// on every node. k3s runs a pod per Service; here the node itself listens.
type balancer struct {
	node    string
	client  kubernetes.Interface
	publish bool // one node also writes the status of the Services

	listeners map[string]net.Listener // by the address and port of the Service
}

func (b *balancer) run(ctx context.Context) error {
	b.listeners = map[string]net.Listener{}
	factory := informers.NewSharedInformerFactory(b.client, 30*time.Second)
	services, nodes := factory.Core().V1().Services(), factory.Core().V1().Nodes()
	changed := make(chan struct{}, 1)
	wake := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for _, informer := range []cache.SharedIndexInformer{services.Informer(), nodes.Informer()} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { wake() },
			UpdateFunc: func(any, any) { wake() }, DeleteFunc: func(any) { wake() }}); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer b.listen(nil)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			complain(b.apply(ctx, services.Lister(), nodes.Lister()))
		}
	}
}

func (b *balancer) apply(ctx context.Context, services listers.ServiceLister, nodes listers.NodeLister) error {
	all, err := services.List(labels.Everything())
	if err != nil {
		return err
	}
	targets := map[string]int32{} // ports of the node by the Service's address
	for _, service := range all {
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer || net.ParseIP(service.Spec.ClusterIP) == nil {
			continue
		}
		for _, port := range service.Spec.Ports {
			if port.Protocol == corev1.ProtocolTCP {
				targets[net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(int(port.Port)))] = port.Port
			}
		}
		if b.publish {
			if err := b.writeStatus(ctx, service, nodes); err != nil {
				return err
			}
		}
	}
	b.listen(targets)
	return nil
}

// listen opens and closes listeners to match targets. It skips a port that another program uses.
func (b *balancer) listen(targets map[string]int32) {
	for target, listener := range b.listeners {
		if _, ok := targets[target]; !ok {
			listener.Close()
			delete(b.listeners, target)
		}
	}
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		if b.listeners[target] != nil {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", targets[target]))
		if err != nil {
			complain(err)
			continue
		}
		b.listeners[target] = listener
		go accept(listener, target)
	}
}

// writeStatus writes the addresses of a Service to its status.
func (b *balancer) writeStatus(ctx context.Context, service *corev1.Service, nodes listers.NodeLister) error {
	all, err := nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	var ingress []map[string]string
	for _, node := range all {
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				ingress = append(ingress, map[string]string{"ip": address.Address})
			}
		}
	}
	slices.SortFunc(ingress, func(a, b map[string]string) int { return slices.Compare([]string{a["ip"]}, []string{b["ip"]}) })
	same := slices.EqualFunc(service.Status.LoadBalancer.Ingress, ingress,
		func(a corev1.LoadBalancerIngress, b map[string]string) bool { return a.IP == b["ip"] })
	if same {
		return nil
	}
	patch, err := json.Marshal(object{"status": object{"loadBalancer": object{"ingress": ingress}}})
	if err != nil {
		return err
	}
	_, err = b.client.CoreV1().Services(service.Namespace).Patch(ctx, service.Name, types.MergePatchType, patch,
		metav1.PatchOptions{}, "status")
	return err
}
