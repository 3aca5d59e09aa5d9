// Package clients tests the policies of docs/recipes.md with real clients.
//
// The clients come from npm and run in pages in real browsers. The servers use
// the libraries of each protocol. The package also compares the command corsfetch
// with Chromium.
//
// It is a separate module, because package cors must not depend on any of these
// libraries.
package clients
