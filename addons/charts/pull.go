package charts

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
)

const maxIndex = 100 << 20 // the index of a large repository has tens of megabytes

// puller asks registries and repositories.
type puller struct {
	download.Client
	tokens map[string]string
}

// puller returns one that trusts the authorities of opts.
func (s *Store) puller() (*puller, error) {
	if s.opts.Client != nil {
		return &puller{download.Client{HTTP: s.opts.Client, Pause: 10 * time.Millisecond}, map[string]string{}}, nil
	}
	client, err := download.New(s.opts.CAFile)
	return &puller{client, map[string]string{}}, err
}

// pull returns the archive of a chart.
func (p *puller) pull(ctx context.Context, c addons.Chart) ([]byte, error) {
	if c.OCI != "" {
		return p.fromRegistry(ctx, c)
	}
	return p.fromRepository(ctx, c)
}

// verify returns an error where data is not what a digest says.
func verify(data []byte, want string) error {
	if got := digest(data); want != "" && got != want {
		return fmt.Errorf("it arrived damaged: its digest is %s, not %s", got, want)
	}
	return nil
}
