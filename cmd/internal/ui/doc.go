// Package ui is the only place that lab prints from: results go to stdout as
// tables, JSON or YAML; progress, warnings and errors go to stderr.
//
// A command prints its result once, at the end:
//
//	return ui.Print(streams.Out, format, cluster, func() ui.View {
//		return clusterTable(cluster)
//	})
//
// and hands a [Progress] to the work that takes time:
//
//	progress := ui.NewProgress(streams, mode, ui.ProgressOptions{Cluster: name})
//	defer progress.Close()
//	err := labs.Up(ctx, request, progress.Report)
//
// What a stream can show (colours, check marks, a line that is drawn anew) is
// decided once, when the stream is made, from what it is and from the environment.
package ui
