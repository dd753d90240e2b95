package bench

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A slower machine is allowed as much more as its bare loops take, a faster one nothing less.
func TestTargetsFollowTheMachine(t *testing.T) {
	f := Figure{Scenario: "listeners", Name: "cost", Value: 0.002, Unit: "core", Target: 0.001, Baseline: 0.0014, Reference: 0.0007}
	assert.True(t, f.OK())
	f.Value = 0.0021
	assert.False(t, f.OK())
	f.Value, f.Baseline = 0.001, 0.0001
	assert.True(t, f.OK())
	f.Reference, f.Value = 0, 0.0011
	assert.False(t, f.OK())

	var table bytes.Buffer
	f.Baseline, f.Reference = 0.0014, 0.0007
	assert.NoError(t, (&Report{Figures: []Figure{f}}).Table(&table))
	assert.Contains(t, table.String(), "<= 0.00100 (0.00200 here)")
}
