package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/bundles"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// BundleServer is the result of `lab bundle serve`, printed when the server is ready.
type BundleServer struct {
	output.Meta
	Name    string   `json:"name"`
	Digest  string   `json:"digest"`
	Address string   `json:"address"`
	Lines   []string `json:"lines"` // the commands to type on another machine
}

func newBundleServe(c *command) *cobra.Command {
	var listen string
	var limit byteSize
	cmd := &cobra.Command{
		Use:   "serve NAME",
		Short: "Serve a bundle to the machines of a room",
		Long: `Serve a bundle to other machines until you press Ctrl-C, and print the commands to type
there. The page at the address of the server shows them, too.

By default, only this machine can connect. To serve other machines, set --listen to an
address of this machine in a private network. The server is read-only and serves only the
content of the bundle; the digest in the commands authenticates it. --limit-rate limits each
client, so that no client uses the whole network. A client that reads nothing for 30
seconds is disconnected, and one address may have 32 connections at a time.`,
		Example: `  lab bundle serve workshop
  lab bundle serve workshop --listen 192.168.1.10:8090 --limit-rate 5M`,
		Args:              bundleArg("NAME"),
		ValidArgsFunction: c.completeBundles,
		RunE:              func(cmd *cobra.Command, args []string) error { return runBundleServe(c, cmd, args[0], listen, limit) },
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8090", "address and port of the server; port 0 is a free one")
	cmd.Flags().Var(&limit, "limit-rate", "bytes per second of one client, such as 5M ("+sizeHelp+")")
	return cmd
}

func runBundleServe(c *command, cmd *cobra.Command, name, listen string, limit byteSize) error {
	if err := limit.atLeast("--limit-rate", cmd.Flags().Changed("limit-rate")); err != nil {
		return err
	}
	listen, err := bundles.PrivateAddress(listen)
	if err != nil {
		return err
	}
	progress := c.progress("")
	defer progress.Close()
	server, err := c.Bundles.NewServer(cmd.Context(), name, int64(limit), func(client bundles.Client) {
		progress.Note("%s has %s of the bundle", client.Address, event.Size(client.Bytes))
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
	if err != nil {
		inUse := errors.Is(err, syscall.EADDRINUSE)
		err = fault.Errorf(fault.ErrUnavailable, "cannot listen on %s: %w", listen, err)
		if inUse {
			return fault.WithHint(err, "use another port, for example 0 for a free one: --listen ADDRESS:0")
		}
		return fault.WithHint(err, "use another port, or an address of this machine: %s", strings.Join(privateAddresses(), ", "))
	}
	address := listener.Addr().String()
	result := BundleServer{output.NewMeta("BundleServer"), name, server.Bundle().Digest.String(), address, server.Lines(address)}
	if err := ui.Print(c.streams.Out, c.format, result, func() ui.View { return serverView(result) }); err != nil {
		return errors.Join(err, listener.Close())
	}
	if c.format == ui.FormatTable {
		serveNotes(progress, listener, server.Bundle())
	}
	return serveUntil(cmd.Context(), listener, server)
}

// newHTTPServer returns a server that closes connections without requests, or of clients that do not read: each of them
// uses a file of this process. The handler extends the time of a client that reads.
func newHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second, WriteTimeout: bundles.Stall, MaxHeaderBytes: 16 << 10,
	}
}

// serveUntil serves until ctx ends, and then gives transfers a moment to end.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := newHTTPServer(handler)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(bundles.Limit(listener, bundles.Connections)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(ctx.Err(), server.Close())
	}
}

func serveNotes(progress *ui.Progress, listener net.Listener, bundle bundles.Bundle) {
	if at, ok := listener.Addr().(*net.TCPAddr); ok && at.IP.IsLoopback() {
		progress.Note("Only this machine reaches the server. Addresses for others: %s", strings.Join(privateAddresses(), ", "))
	}
	const people, rate = 30, 200e6 / 8 // of a wireless network, in bytes per second
	minutes := float64(people*bundle.Size) / rate / 60
	progress.Note("%d machines × %s at 200 Mbit/s take about %.0f min. Stop: Ctrl-C", people, event.Size(bundle.Size), max(1, minutes))
}

// privateAddresses returns the addresses of this machine in private networks.
func privateAddresses() []string {
	all, _ := net.InterfaceAddrs() // none on error
	var list []string
	for _, a := range all {
		if at, ok := a.(*net.IPNet); ok && at.IP.IsPrivate() {
			list = append(list, fmt.Sprintf("--listen %s", net.JoinHostPort(at.IP.String(), "8090")))
		}
	}
	if len(list) == 0 {
		return []string{"none"}
	}
	return list
}

func serverView(s BundleServer) ui.View {
	d := &ui.Details{}
	d.Add("Page", "http://"+s.Address+"/")
	d.Add("Digest", s.Digest)
	lines := ui.NewTable()
	for _, line := range s.Lines {
		lines.Row(line)
	}
	d.Section("Type on the other machines", lines)
	return d
}
