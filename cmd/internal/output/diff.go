package output

// The commands that update a cluster to match a request.
const (
	ByUp       = "lab up"
	ByPrune    = "lab up --prune"
	ByRecreate = "lab up --recreate"
	ByStart    = "lab start"
)

// Difference is one setting in which a cluster differs from a request.
type Difference struct {
	Path  string `json:"path"` // as in lab.yaml
	Has   string `json:"has"`
	Asked string `json:"asked"`
	By    string `json:"by"` // the command that updates the cluster to match

	Text string `json:"-"` // a clause of an error: "it has 2 workers, not 4"
}

// Diff is a list of differences.
type Diff struct {
	Meta
	Name    string       `json:"name"`
	Items   []Difference `json:"items"`
	Surplus []string     `json:"surplus,omitempty"` // addons that are not requested; only lab up --prune removes them
}
