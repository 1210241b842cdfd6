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

//go:embed pod-complete.yaml pod-deadline.yaml
var own embed.FS

// builtinStages returns the stages of nodes and pods: nodes become ready, pods run at once, pods that are
// not restarted complete, others fail at their deadline, and deleted pods are removed. All except
// pod-complete and pod-deadline are those of KWOK.
func builtinStages() ([]*internalversion.Stage, error) {
	podComplete, err := own.ReadFile("pod-complete.yaml")
	if err != nil {
		return nil, err
	}
	podDeadline, err := own.ReadFile("pod-deadline.yaml")
	if err != nil {
		return nil, err
	}
	var all []*internalversion.Stage
	for _, text := range []string{
		nodefast.DefaultNodeInit,
		nodelease.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady,
		string(podComplete),
		string(podDeadline),
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

// yield removes the weight of the stage. KWOK prefers matching stages that have a weight, even if it is
// 0, so stages of users take precedence over builtin ones.
func yield(stage *internalversion.Stage) {
	stage.Spec.WeightFrom = &internalversion.ExpressionFrom{JQ: &internalversion.ExpressionJQ{Expression: `""`}}
}

// inForce returns the effective stages: those of users, and the builtin ones that no user stage of the
// same name replaces.
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

// spareDeleted limits a user's stage that does not mention deletion to objects that are not being
// deleted. Otherwise it would take precedence over the stage that removes them, and deleted pods would
// stay.
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
