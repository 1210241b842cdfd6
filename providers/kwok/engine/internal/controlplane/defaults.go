package controlplane

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingapi "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	schedulingv1 "k8s.io/kubernetes/pkg/apis/scheduling/v1"
	rbacrest "k8s.io/kubernetes/pkg/registry/rbac/rest"
	schedulingrest "k8s.io/kubernetes/pkg/registry/scheduling/rest"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

// disableHooks disables the two hooks of the API server that create the default roles and priority
// classes. They wait for a second and create one object after the other, which takes more than half of
// the time of a start. So CreateDefaults creates the objects in parallel in a new cluster, and
// ReconcileDefaults runs the hooks in the background, to fix objects that users or upgrades changed.
func disableHooks(disabled sets.String) {
	disabled.Insert(rbacrest.PostStartHookName, schedulingrest.PostStartHookName)
}

// ReconcileDefaults runs the hooks of the API server, and returns when ctx is cancelled.
func ReconcileDefaults(ctx context.Context, config *rest.Config) error {
	hookContext := server.PostStartHookContext{LoopbackClientConfig: config, Context: ctx}
	for _, provider := range []server.PostStartHookProvider{rbacrest.RESTStorageProvider{}, schedulingrest.RESTStorageProvider{}} {
		_, hook, err := provider.PostStartHook()
		if err != nil {
			return err
		}
		if err := hook(hookContext); err != nil && ctx.Err() == nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// CreateDefaults creates the default roles, bindings and priority classes. It does not change existing
// ones.
func CreateDefaults(ctx context.Context, client kubernetes.Interface) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	rbac := client.RbacV1()
	creator[*rbacv1.ClusterRole]{group, rbac.ClusterRoles().Create}.
		all(ctx, pointers(slices.Concat(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles())))
	creator[*rbacv1.ClusterRoleBinding]{group, rbac.ClusterRoleBindings().Create}.
		all(ctx, pointers(slices.Concat(bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings())))
	for namespace, roles := range bootstrappolicy.NamespaceRoles() {
		creator[*rbacv1.Role]{group, rbac.Roles(namespace).Create}.all(ctx, pointers(roles))
	}
	for namespace, bindings := range bootstrappolicy.NamespaceRoleBindings() {
		creator[*rbacv1.RoleBinding]{group, rbac.RoleBindings(namespace).Create}.all(ctx, pointers(bindings))
	}
	creator[*schedulingapi.PriorityClass]{group, client.SchedulingV1().PriorityClasses().Create}.
		all(ctx, schedulingv1.SystemPriorityClasses())
	return group.Wait()
}

// creator creates objects of one kind, in parallel with those of other kinds.
type creator[T any] struct {
	group  *errgroup.Group
	create func(context.Context, T, metav1.CreateOptions) (T, error)
}

func (c creator[T]) all(ctx context.Context, objects []T) {
	for _, object := range objects {
		c.group.Go(func() error {
			_, err := c.create(ctx, object, metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
	}
}

func pointers[T any](values []T) []*T {
	var all []*T
	for i := range values {
		all = append(all, &values[i])
	}
	return all
}
