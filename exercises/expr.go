package exercises

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// Limits of expressions. The cost is CEL's own measure of work: a comparison costs about 1, a loop
// the cost of its body for each item.
const (
	maxExpression = 4096 // bytes
	maxCost       = 1_000_000
)

// Expr is a CEL expression. The loader compiles it.
type Expr struct {
	strict.Text

	program cel.Program
	uses    []string // the variables
}

// before is the variable with the observations before an act.
const before = "before"

// newEnv returns the environment of the expressions of an exercise: its probes are the variables.
func newEnv(probes []Probe) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(64),
		cel.Function("rolledOut", cel.Overload("rolled_out_map", []*cel.Type{cel.DynType}, cel.BoolType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				o, ok := v.Value().(map[string]any)
				return types.Bool(ok && rolledOut(o))
			}))),
		cel.Function("quantity", cel.Overload("quantity_dyn", []*cel.Type{cel.DynType}, cel.DoubleType, cel.UnaryBinding(quantity))),
	}
	for _, p := range probes {
		options = append(options, cel.Variable(p.Name.Value, p.variable()))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("cannot create the environment of expressions: %w", err)
	}
	return env, nil
}

// quantity is the function of that name: it returns the number that a quantity such as 64Mi or 250m stands for.
func quantity(v ref.Val) ref.Val {
	q, err := resource.ParseQuantity(fmt.Sprint(v.Value()))
	if err != nil {
		return types.NewErr("%v is not a quantity, such as 64Mi or 250m", v.Value())
	}
	return types.Double(q.AsApproximateFloat64())
}

// variable returns the type of what a probe observes.
func (p Probe) variable() *cel.Type {
	switch {
	case p.List.Kind.Value != "":
		return cel.ListType(cel.DynType)
	case p.Logs.Selector != "":
		return cel.StringType
	}
	return cel.MapType(cel.StringType, cel.DynType)
}

// compile checks the expression, which must have the given type. It returns the problem with its
// position, or nil.
func (e *Expr) compile(env *cel.Env, file string, want *cel.Type) strict.Problems {
	ast, issues := env.Compile(e.Value)
	if issues.Err() != nil {
		var problems strict.Problems
		for _, err := range issues.Errors() {
			line, column := e.Line+err.Location.Line()-1, err.Location.Column()+1
			if err.Location.Line() <= 1 {
				line, column = e.Line, e.Column+max(err.Location.Column(), 0)
			}
			message := strings.ReplaceAll(err.Message, " (in container '')", "")
			problems = append(problems, strict.Problem{File: file, Line: line, Column: column, Message: "invalid CEL: " + message})
		}
		return problems
	}
	if got := ast.OutputType(); got.String() != want.String() && got.String() != cel.DynType.String() {
		return strict.Problems{problemAt(file, e.Text, "the expression must be a %s, not a %s", want, got)}
	}
	for _, r := range ast.NativeRep().ReferenceMap() {
		if r.Name != "" && !slices.Contains(e.uses, r.Name) {
			e.uses = append(e.uses, r.Name)
		}
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(100))
	if err != nil {
		return strict.Problems{problemAt(file, e.Text, "invalid CEL: %v", err)}
	}
	e.program = program
	return nil
}

// eval returns the value of the expression, or nil if it reads a field or an item that is absent.
// Other errors, for example of types that do not match, are mistakes in the pack.
func (e *Expr) eval(ctx context.Context, state State) (any, error) {
	if e.program == nil {
		return nil, nil
	}
	value, _, err := e.program.ContextEval(ctx, map[string]any(state))
	if err != nil {
		// cel-go has no type for this error that other packages could test for.
		for _, absent := range []string{"no such key", "index out of bounds", "no such attribute"} {
			if strings.Contains(err.Error(), absent) {
				return nil, nil
			}
		}
		return nil, fmt.Errorf("%s: %w", strict.Clip(e.Value), err)
	}
	return value.Value(), nil
}

// holds reports whether a condition is true.
func (e *Expr) holds(ctx context.Context, state State) (bool, error) {
	value, err := e.eval(ctx, state)
	if err != nil || value == nil {
		return false, err
	}
	holds, ok := value.(bool)
	if !ok {
		return false, errors.New(strict.Clip(e.Value) + ": the result is not true or false")
	}
	return holds, nil
}

// rolledOut reports whether the controller of a workload has finished: all pods have the latest
// template and are available, and no others exist.
func rolledOut(o Object) bool {
	if number(o, "status", "observedGeneration") < number(o, "metadata", "generation") {
		return false
	}
	if text(o, "kind") == "DaemonSet" {
		want := number(o, "status", "desiredNumberScheduled")
		return number(o, "status", "updatedNumberScheduled") == want && number(o, "status", "numberAvailable") == want
	}
	want := number(o, "spec", "replicas")
	return number(o, "status", "updatedReplicas") == want && number(o, "status", "replicas") == want &&
		number(o, "status", "availableReplicas") == want
}

func problemAt(file string, at strict.Text, format string, args ...any) strict.Problem {
	return strict.Problem{File: file, Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...)}
}
