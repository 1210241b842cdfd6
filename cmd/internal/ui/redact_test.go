package ui

import (
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestNoSecrets: every URL is printed without the user name and the password, even if it is cut.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	const url = "https://robot:S3cretS3cretS3cretS3cretS3cretS3cretS3cretS3cret@host/path"
	for _, width := range []int{0, 40} {
		streams, stdout, stderr := Test(width, nil)
		for _, mode := range []Mode{ModePlain, ModeJSON, ModeTTY} {
			p := NewProgress(streams, mode, ProgressOptions{})
			p.Report(event.Event{Step: "Asking " + url, State: event.Started})
			p.Report(event.Event{Step: "Asking " + url, State: event.Progress, Message: url})
			p.Report(event.Event{Step: "Asking " + url, State: event.Failed, Message: url})
			p.Warn("%s", url)
			p.Note("%s", url)
			p.Close()
		}
		for _, json := range []bool{false, true} {
			RenderError(streams, fault.WithHint(fault.Errorf(fault.ErrInvalid, "Get %q: no", url), "ask %s", url), ErrorOptions{JSON: json})
		}
		table, details := NewTable("name", "what"), &Details{}
		table.Row("x", url)
		details.Add("Where", url)
		for _, format := range []Format{FormatTable, FormatJSON, FormatYAML} {
			for _, view := range []View{table, details} {
				if err := Print(streams.Out, format, map[string]string{"where": url}, func() View { return view }); err != nil {
					t.Error(err)
				}
			}
		}
		for _, text := range []string{stdout.String(), stderr.String()} {
			if strings.Contains(text, "robot") || strings.Contains(text, "S3cret") || !strings.Contains(text, "https://***@host") {
				t.Errorf("%d columns:\n%s", width, text)
			}
		}
	}
}
