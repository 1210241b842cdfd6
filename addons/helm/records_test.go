package helm

import (
	"testing"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// TestRecords: how a release ended is written, and what goes on meanwhile is not.
func TestRecords(t *testing.T) {
	t.Parallel()
	memory := driver.NewMemory()
	memory.SetNamespace("shop")
	r := records{memory}
	write := func(status release.Status, description string, do func(string, *release.Release) error) {
		t.Helper()
		rel := &release.Release{Name: "shop", Namespace: "shop", Version: 1, Info: &release.Info{Status: status, Description: description}}
		if err := do("sh.helm.release.v1.shop.v1", rel); err != nil {
			t.Fatal(err)
		}
	}
	wantIs := func(want string) {
		t.Helper()
		if rel, err := r.Get("sh.helm.release.v1.shop.v1"); err != nil || rel.Info.Description != want {
			t.Errorf("%+v, %v, want %q", rel, err, want)
		}
	}
	write(release.StatusPendingInstall, "begun", r.Create)
	write(release.StatusPendingInstall, "before a hook", r.Update)
	wantIs("begun")
	write(release.StatusDeployed, "done", r.Update)
	wantIs("done")
}
