// Package peers compares this module with other packages: benchmarks, tests of
// the defects known in this field, and tests with routers and other middleware.
// It is a module of its own, so that the library itself depends on nothing.
package peers
