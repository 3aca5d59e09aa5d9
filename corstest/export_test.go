package corstest

// UnsafeHeaderNames has a table of its own in the tests.
var UnsafeHeaderNames = unsafeHeaderNames
