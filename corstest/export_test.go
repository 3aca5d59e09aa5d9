package corstest

// UnsafeHeaderNames is for a table in the tests.
var UnsafeHeaderNames = unsafeHeaderNames
