package nodes

import (
	"embed"
	"slices"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodelease "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"
)

//go:embed pod-complete.yaml
var own embed.FS

// builtinStages returns how nodes and pods live here: nodes become ready, pods run
// at once, those that are not restarted complete, and deleted ones are removed. All
// but pod-complete are as KWOK ships them.
func builtinStages() ([]*internalversion.Stage, error) {
	podComplete, err := own.ReadFile("pod-complete.yaml")
	if err != nil {
		return nil, err
	}
	var all []*internalversion.Stage
	for _, text := range []string{
		nodefast.DefaultNodeInit,
		nodelease.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady,
		string(podComplete),
		podfast.DefaultPodDelete,
	} {
		stage, err := config.UnmarshalWithType[*internalversion.Stage](text)
		if err != nil {
			return nil, err
		}
		yield(stage)
		all = append(all, stage)
	}
	return all, nil
}

// yield removes the stage's weight: of the stages that match an object, KWOK
// chooses among those that have one, even if it is 0. So every stage of a user comes
// before the builtin ones.
func yield(stage *internalversion.Stage) {
	stage.Spec.WeightFrom = &internalversion.ExpressionFrom{JQ: &internalversion.ExpressionJQ{Expression: `""`}}
}

// inForce returns the stages that count: the user's, and the builtin ones which the
// user does not replace by one of the same name.
func inForce(builtin, users []*internalversion.Stage) map[internalversion.StageResourceRef][]*internalversion.Stage {
	all := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	add := func(stage *internalversion.Stage) {
		all[stage.Spec.ResourceRef] = append(all[stage.Spec.ResourceRef], stage)
	}
	for _, stage := range users {
		spareDeleted(stage)
		add(stage)
	}
	for _, stage := range builtin {
		if !slices.ContainsFunc(users, func(user *internalversion.Stage) bool { return user.Name == stage.Name }) {
			add(stage)
		}
	}
	return all
}

// spareDeleted lets a user's stage that says nothing of deletion match only objects
// that are not being deleted. Otherwise it would come before the stage that removes
// them, and a pod would never be gone.
func spareDeleted(stage *internalversion.Stage) {
	selector := stage.Spec.Selector
	if selector == nil {
		return
	}
	for _, expression := range selector.MatchExpressions {
		if expression.JQ != nil && strings.Contains(expression.JQ.Key, "deletionTimestamp") ||
			expression.CEL != nil && strings.Contains(expression.CEL.Expression, "deletionTimestamp") {
			return
		}
	}
	selector.MatchExpressions = append(slices.Clone(selector.MatchExpressions), internalversion.MatchExpression{
		JQ: &internalversion.SelectorJQ{Key: ".metadata.deletionTimestamp", Operator: internalversion.SelectorOpDoesNotExist},
	})
}
