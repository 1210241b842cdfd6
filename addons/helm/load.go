package helm

import (
	"bytes"
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// load reads a chart. Load it again for each operation, because Helm's operations change it.
func load(a addons.Archive) (*chart.Chart, error) {
	loaded, err := loader.LoadArchive(bytes.NewReader(a.Data))
	if err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "cannot read the chart: %w", err)
	}
	if err := loaded.Validate(); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "invalid chart: %w", err)
	}
	return loaded, nil
}

// loadSafe reads the chart of a release. It returns ErrInvalid if Helm would read another document to validate the
// values: Helm would request it from the network, or read any file of the user.
func loadSafe(r addons.Release) (*chart.Chart, error) {
	loaded, err := load(r.Chart)
	if err != nil || checkReferences(loaded) == nil {
		return loaded, err
	}
	// Helm does not use the schemas of dependencies that values disable.
	used, err := load(r.Chart)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(used, chartutil.Values(r.Values.Copy())); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "invalid chart: %w", err)
	}
	return loaded, checkReferences(used)
}

// checkReferences returns ErrInvalid if the schema of a chart or of a dependency refers to another document.
func checkReferences(c *chart.Chart) error {
	if url := referenceOf(c.Schema); url != "" {
		err := fault.Errorf(fault.ErrInvalid, "values.schema.json of the chart %s refers to %s: lab reads no other documents", c.ChartFullPath(), url)
		return fault.WithHint(err, "copy that document into values.schema.json as $defs.NAME, and refer to it with \"$ref\": \"#/$defs/NAME\"; "+
			"if the chart is not yours, change a copy of it, and name its directory in lab.yaml: chart: {path: DIRECTORY}")
	}
	for _, dependency := range c.Dependencies() {
		if err := checkReferences(dependency); err != nil {
			return err
		}
	}
	return nil
}

// referenceOf returns the URL of the first document that Helm would read to compile a schema, or "". Schemas of the
// JSON Schema standard are part of the compiler. Helm reports other errors of the schema.
func referenceOf(schema []byte) string {
	if schema == nil {
		return ""
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return ""
	}
	const name = "file:///values.schema.json" // as Helm names it
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if compiler.AddResource(name, document) != nil {
		return ""
	}
	_, err = compiler.Compile(name)
	if refused, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return refused.URL
	}
	return ""
}

// noLoader loads no documents. As in Helm, a URN stands for a schema that accepts everything.
type noLoader struct{}

// Load implements the interface of the compiler.
func (noLoader) Load(url string) (any, error) {
	if strings.HasPrefix(url, "urn:") {
		return true, nil
	}
	return nil, errors.New("not part of the chart")
}
