//go:build race

package sheet_test

// thousands of endpoints that a test imports; the race detector takes ten times as long.
const thousands = 1
