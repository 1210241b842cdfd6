// Package providertest holds the contract that every [providers.Provider] must
// pass, as a test suite, and a fake provider that passes it.
//
// [Run] is the suite: each rule of the contract is one subtest whose name is the
// rule. An adapter's test says how to make the provider and what the suite cannot
// know about it, in a [Harness]:
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
// [NewFake] is the fake. It keeps its clusters in a directory, a [Machine], so that
// several processes see the same ones and tests of the whole program can use it in
// place of a real tool. What is to go wrong there is written down in [Faults].
package providertest
