package kubeconfig_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
)

func longAgo() time.Time { return time.Now().Add(-24 * time.Hour) }

// numbered is the i-th of many clusters.
func numbered(i int) []byte {
	return own(fmt.Sprint(i), base64.StdEncoding.EncodeToString([]byte(fmt.Sprint("ca", i))))
}

// patient is longer than a hundred writers take on a busy machine, one after another.
const patient = 5 * time.Minute

// TestTogether adds and removes a hundred clusters in parallel while kind edits the same file. No entry
// is lost.
func TestTogether(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	f.Patience = patient
	const clusters, writers = 100, 25
	want := []string{"dev", "prod"}
	for _, verb := range []string{"up", "down"} {
		var all sync.WaitGroup
		for i := range clusters {
			all.Go(func() {
				if verb == "down" {
					remove(t, f, fmt.Sprintf("kind-%d", i), numbered(i))
				} else if _, err := f.Merge(t.Context(), numbered(i), kubeconfig.Options{SetCurrent: true}); err != nil {
					t.Errorf("merge %d: %v", i, err)
				}
			})
		}
		for i := range writers {
			name := fmt.Sprintf("%s-%d", verb, i)
			want = append(want, name)
			all.Go(func() {
				insist(t, name, func() error { return addContext(path, name) })
			})
		}
		all.Wait()
		c := load(t, path)
		for i := range clusters {
			name := fmt.Sprintf("kind-%d", i)
			if has := c.Contexts[name] != nil && c.Clusters[name] != nil && c.AuthInfos[name] != nil; has != (verb == "up") {
				t.Errorf("after %s, %s exists: %v", verb, name, has)
			}
		}
		for _, name := range want {
			if c.Contexts[name] == nil {
				t.Errorf("after %s, the context %s is lost", verb, name)
			}
		}
	}
	noLeftovers(t, path)
}

// TestBesideKubectl checks that lab loses no entry of kubectl. kubectl reads before it locks, so it may
// lose an entry of lab.
func TestBesideKubectl(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	f.Patience = patient
	var done, all sync.WaitGroup
	stop := make(chan struct{})
	for i := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				mine := numbered(100*i + n%10)
				if _, err := f.Merge(t.Context(), mine, kubeconfig.Options{}); err != nil {
					t.Errorf("merge: %v", err)
				}
				remove(t, f, fmt.Sprintf("kind-%d", 100*i+n%10), mine)
			}
		})
	}
	names := []string{"dev", "prod"}
	done.Go(func() {
		for i := range 20 {
			name := fmt.Sprintf("kubectl-%d", i)
			names = append(names, name)
			insist(t, name, func() error { return setContext(path, name) })
		}
	})
	done.Wait()
	close(stop)
	all.Wait()
	c := load(t, path)
	for _, name := range names {
		if c.Contexts[name] == nil {
			t.Errorf("the context %s is lost", name)
		}
	}
	noLeftovers(t, path)
}

func load(t *testing.T, path string) *api.Config {
	t.Helper()
	c, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// addContext edits a kubeconfig as kind does: under kubectl's lock, it truncates the file and writes
// all of it.
func addContext(path, name string) error {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	c, err := clientcmd.LoadFromFile(path)
	if err == nil {
		c.Contexts[name] = &api.Context{Cluster: "dev", AuthInfo: "me"}
		err = clientcmd.WriteToFile(*c, path)
	}
	return errors.Join(err, lock.Close(), os.Remove(lock.Name()))
}

// setContext edits a kubeconfig with the code of `kubectl config set-context`.
func setContext(path, name string) error {
	files := clientcmd.NewDefaultPathOptions()
	files.LoadingRules.ExplicitPath = path
	c, err := files.GetStartingConfig()
	if err != nil {
		return err
	}
	c.Contexts[name] = &api.Context{Cluster: "dev"}
	return clientcmd.ModifyConfig(files, *c, true)
}

// insist calls do until the file is not locked.
func insist(t *testing.T, name string, do func() error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := do()
		if err == nil {
			return
		}
		if !errors.Is(err, os.ErrExist) || t.Context().Err() != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		<-tick.C
	}
}
