package corstest

// UnsafeHeaderNames lets the tests of package corstest_test call unsafeHeaderNames.
var UnsafeHeaderNames = unsafeHeaderNames
