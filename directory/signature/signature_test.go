package signature_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/directory/signature"
)

func TestSignAndVerify(t *testing.T) {
	now := time.Unix(1767323045, 0)
	body := []byte(`{"type":"call.ended"}`)
	header := signature.Sign("secret", now, body)
	assert.Regexp(t, `^t=1767323045,v1=[0-9a-f]{64}$`, header)
	verify := func(secret, header string, body []byte, after time.Duration) error {
		return signature.Verify(secret, header, body, now.Add(after), 5*time.Minute)
	}
	assert.NoError(t, verify("secret", header, body, time.Minute))
	assert.NoError(t, verify("secret", header, body, -time.Minute), "clocks differ")
	assert.ErrorIs(t, verify("secret", header, body, 6*time.Minute), signature.ErrOld)
	assert.ErrorIs(t, verify("secret", header, body, -6*time.Minute), signature.ErrOld)
	assert.ErrorIs(t, verify("other", header, body, 0), signature.ErrWrong)
	assert.ErrorIs(t, verify("secret", header, []byte(`{}`), 0), signature.ErrWrong)
	assert.ErrorIs(t, verify("secret", strings.Replace(header, "t=1", "t=2", 1), body, 0), signature.ErrWrong)
	for i := range len(header) {
		assert.Error(t, verify("secret", header[:i], body, 0), "prefix of %d", i)
	}
}
