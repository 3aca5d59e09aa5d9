// Package clients holds the policies of docs/recipes.md to the clients that they
// are for: real ones, from npm, in pages that real browsers show, against
// servers made with the protocols' own libraries.
//
// It is a module of its own, so that the library depends on none of that.
package clients
