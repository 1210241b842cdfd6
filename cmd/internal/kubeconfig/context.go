package kubeconfig

// Context returns the name of the context of a self-contained kubeconfig.
func Context(kubeconfig []byte) (string, error) {
	e, err := parseEntry(kubeconfig)
	if err != nil {
		return "", err
	}
	return e.context, nil
}
