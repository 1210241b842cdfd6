package kubeconfig

// EditedByLines reports whether Merge can add the cluster to a file by editing lines, so that
// all others stay as they are.
func EditedByLines(text string, own []byte) bool {
	d := parse("file", []byte(text))
	in, err := parseCluster(own)
	if d.err != nil || err != nil {
		return false
	}
	if d.merge(in, d.current(), true) != nil {
		return false
	}
	return d.frozen == nil && means(d.joined(), d.tree())
}
