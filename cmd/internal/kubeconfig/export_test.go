package kubeconfig

// EditedByLines tells whether Merge can add the cluster to a file by editing lines,
// so that all others stay as they are.
func EditedByLines(text string, own []byte) bool {
	d, err := parse("file", []byte(text))
	if err != nil {
		return false
	}
	in, err := parseEntry(own)
	if err != nil {
		return false
	}
	if d.merge(in, Options{SetCurrent: true}, d.current()) != nil {
		return false
	}
	return !d.odd && d.means([]byte(d.splice()))
}
