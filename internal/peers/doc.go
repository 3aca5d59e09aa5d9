// Package peers compares this module with other packages, and tests it with
// routers and other middleware. It has its own go.mod, so the library itself
// depends on nothing.
package peers
