//go:build !race

package sheet_test

// thousands of endpoints that a test imports.
const thousands = 10
