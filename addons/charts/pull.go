package charts

import (
	"bytes"
	"fmt"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxChart bounds an archive from the network, in bytes. Kubernetes stores releases of up to a
// megabyte, compressed.
const maxChart = 20 << 20

// client returns a client that also trusts the authorities of the store.
func (s *Store) client(o download.Options) (download.Client, error) {
	o.CA, o.CAFiles = s.opts.CA, append(o.CAFiles, s.opts.CAFile)
	o.Pause, o.Stall = s.opts.Pause, s.opts.Stall
	return download.New(o)
}

// usable returns ErrInvalid if an archive is not an installable chart.
func usable(data []byte) error {
	loaded, err := loader.LoadArchive(bytes.NewReader(data))
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "the download is not a chart: %w", err)
	}
	return installable(loaded, "use another version of the chart, or report the incomplete archive to its authors")
}

// verify returns an error if data does not have the digest.
func verify(data []byte, want string) error {
	if got := digest(data); want != "" && got != want {
		return fmt.Errorf("it arrived damaged: its digest is %s, not %s", got, want)
	}
	return nil
}
