// Package providertest has the contract of every [providers.Provider] as a test suite, and a
// fake provider that passes it.
//
// [Run] is the suite: each rule of the contract is one subtest, named after the rule. An
// adapter's test describes in a [Harness] how to create the provider, and what the suite cannot
// know about it:
//
//	func TestContract(t *testing.T) {
//		providertest.Run(t, func(t *testing.T) providertest.Harness {
//			return providertest.Harness{
//				New:     func() providers.Provider { return kind.New(…) },
//				Leaks:   func(t *testing.T, name string) []string { … },
//				Timeout: 5 * time.Minute,
//				Slow:    true,
//			}
//		})
//	}
//
// [NewFake] returns the fake. It keeps its clusters in a directory, a [Machine], so several
// processes see the same clusters, and tests of the whole program can use it instead of a real
// tool. [Faults] describe what fails there.
package providertest
