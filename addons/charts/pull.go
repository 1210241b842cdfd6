package charts

import (
	"bytes"
	"fmt"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxChart bounds an archive from the network, in bytes. The cluster takes releases of up to
// a megabyte, compressed.
const maxChart = 20 << 20

// client returns one that trusts the authorities of the store, too.
func (s *Store) client(o download.Options) (download.Client, error) {
	o.CA, o.CAFiles = s.opts.CA, append(o.CAFiles, s.opts.CAFile)
	o.Pause, o.Stall = s.opts.Pause, s.opts.Stall
	return download.New(o)
}

// usable returns ErrInvalid where an archive is no chart that can be installed.
func usable(data []byte) error {
	loaded, err := loader.LoadArchive(bytes.NewReader(data))
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "the download is not a chart: %w", err)
	}
	return installable(loaded, "use another version of the chart, or report the incomplete archive to its authors")
}

// verify returns an error where data is not what a digest says.
func verify(data []byte, want string) error {
	if got := digest(data); want != "" && got != want {
		return fmt.Errorf("it arrived damaged: its digest is %s, not %s", got, want)
	}
	return nil
}
