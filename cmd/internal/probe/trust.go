package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// cannotPass reports whether waiting cannot end an error that lasts: the server that answers
// is not the API server of the kubeconfig, or cannot prove that it is.
func cannotPass(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	return err != nil && (errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &record) ||
		errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(err.Error(), "unsupported protocol scheme") ||
		apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) || apierrors.IsBadRequest(err))
}

// untrusted is the error of a wait that such an error ends.
func untrusted(err error) error {
	wrapped := fmt.Errorf("the API server cannot be used: %w", err)
	var host x509.HostnameError
	if errors.As(err, &host) {
		return fault.WithHint(wrapped, "let the API server listen on an address that its certificate names, such as 127.0.0.1, "+
			"or add the address to the names of the certificate in the configuration of the tool")
	}
	return fault.WithHint(wrapped, "find out which program answers at the address of the API server; lab doctor looks at the machine")
}
