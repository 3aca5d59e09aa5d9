package properties_test

import "testing"

// rounds returns how often a test repeats itself: n times, or n/20 times with
// -short.
func rounds(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}
