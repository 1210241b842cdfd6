package fault

import "testing"

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "no URL, but user:password@host": "no URL, but user:password@host",
		"https://host/path?q=a@b":                                      "https://host/path?q=a@b",
		"oci://host:5000/chart@sha256:abc":                             "oci://host:5000/chart@sha256:abc",
		"oci://[::1]:5000/chart@sha256:abc":                            "oci://[::1]:5000/chart@sha256:abc",
		"https://robot:S3cret@host/path":                               "https://***@host/path",
		"open /dir/https:/robot:S3cret@host/x.tgz: no such file":       "open /dir/https:/***@host/x.tgz: no such file",
		"./data:/srv@1, C:/me@work":                                    "./data:/srv@1, C:/me@work",
		"https://token@host":                                           "https://***@host",
		"oci://robot:a@b@host:5000/chart@sha256:abc":                   "oci://***@host:5000/chart@sha256:abc",
		`Get "http://robot:***@127.0.0.1:9/x": dial tcp: refused`:      `Get "http://***@127.0.0.1:9/x": dial tcp: refused`,
		`parse "https://robot:a/b@host/x": invalid port ":a"`:          `parse "https://***@host/x": invalid port ":a"`,
		"clone git+https://oauth2:tok%20en@host/x.git, then ssh://u@h": "clone git+https://***@host/x.git, then ssh://***@h",
		`{"a":"https://u:p@host/","b":"c@d"}`:                          `{"a":"https://***@host/","b":"c@d"}`,
		"https://robot:S3c'ret@host/path":                              "https://***@host/path",
		"https://host/x?a=b&private_token=S3cret&c=d#e":                "https://host/x?a=b&private_token=***&c=d#e",
		"https://host/x?X-Amz-Signature=S3cret: not found":             "https://host/x?X-Amz-Signature=*** not found",
		"'https://host/x?token=S3cret/': refused":                      "'https://host/x?token=***': refused",
		"https://host/x?sig=S3cret and https://host/x?design=1":        "https://host/x?sig=*** and https://host/x?design=1",
		`{"a":"Get \"https://host/x?token=S3cret\": EOF\n"}`:           `{"a":"Get \"https://host/x?token=***\": EOF\n"}`,
		"https_proxy=http://me:pw@proxy:3128 no_proxy=x":               "https_proxy=http://***@proxy:3128 no_proxy=x",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if again := Redact(want); again != want {
			t.Errorf("%q becomes %q the second time", want, again)
		}
	}
}
