package cli

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// sizeHelp ends the help of flags for sizes.
const sizeHelp = "1G is 10^9 bytes, 1Gi is 2^30"

// byteSize is a flag for a number of bytes. Its units are those of Kubernetes, and those in which lab prints sizes.
type byteSize int64

// String implements [pflag.Value].
func (b *byteSize) String() string {
	if *b == 0 {
		return "0"
	}
	return strings.ReplaceAll(event.Size(int64(*b)), " ", "")
}

// Type implements [pflag.Value].
func (b *byteSize) Type() string { return "size" }

// Set implements [pflag.Value]. It accepts 500M, 1.5G and 5Gi, with or without a B at the end. A small m or g is an
// error: it is a thousandth in Kubernetes, and a power of two in Docker.
func (b *byteSize) Set(text string) error {
	parts := regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(?:([kKMGT])(i?))?B?$`).FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("not a size, such as 500M, 5G or 5Gi")
	}
	base := 1000.0
	if parts[3] != "" {
		base = 1024
	}
	exponent := strings.Index("KMGT", strings.ToUpper(parts[2])) + 1
	if parts[2] == "" {
		exponent = 0
	}
	n, err := strconv.ParseFloat(parts[1], 64)
	n *= math.Pow(base, float64(exponent))
	if err != nil || n >= math.MaxInt64 {
		return fmt.Errorf("too large")
	}
	*b = byteSize(n)
	return nil
}

// smallest is the least size that makes sense for a part of a bundle, or for a second of a transfer.
const smallest = 1e6

// atLeast returns a usage error if a size is set and smaller than smallest.
func (b byteSize) atLeast(flag string, set bool) error {
	if !set || b >= smallest {
		return nil
	}
	return fault.WithHint(usage("%s %s is less than 1M", flag, b.String()), "for example %s 100M", flag)
}
