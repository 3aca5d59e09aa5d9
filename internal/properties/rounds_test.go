package properties_test

import "testing"

// rounds returns the number of repetitions of a test, which is n, or n/20 with
// -short.
func rounds(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}
