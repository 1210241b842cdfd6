package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"
)

// get prints the body of an answer.
func get(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errUsage
	}
	return request(ctx, http.MethodGet, args[0], stdout)
}

// answersWithin bounds a request of get.
const answersWithin = 10 * time.Second

// request sends a request and prints the body of the answer. A status that is not 2xx is an error.
func request(ctx context.Context, method, address string, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(stdout, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", address, answer.Status)
	}
	return nil
}

// work works and exits, as a Job does.
func work(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("hello work", flag.ContinueOnError)
	flags.SetOutput(stderr)
	lasts := flags.Duration("for", 5*time.Second, "how long to work")
	fails := flags.Bool("fail", false, "fail at the end")
	if err := flags.Parse(args); err != nil {
		return usageOf(err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	sum := sha256.Sum256(nil)
	for began := time.Now(); time.Since(began) < *lasts; {
		for range 10_000 {
			sum = sha256.Sum256(sum[:])
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(stdout, "interrupted")
			return ctx.Err()
		case <-tick.C:
			fmt.Fprintf(stdout, "worked for %s of %s\n", time.Since(began).Round(time.Second), *lasts)
		default:
		}
	}
	if *fails {
		return errors.New("failed, as requested")
	}
	fmt.Fprintf(stdout, "done: %x\n", sum[:4])
	return nil
}

// usageOf returns nil for -h, and errUsage otherwise: package flag has explained the error.
func usageOf(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return errUsage
}
