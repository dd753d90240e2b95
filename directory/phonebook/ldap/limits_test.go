package ldap_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	client "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/directory/phonebook"
	"github.com/roomgate/roomgate/directory/phonebook/ldap"
)

// run serves at a listener until the test is over, and gives its address.
func run(t *testing.T, s *ldap.Server, l net.Listener) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, false) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-done)
	})
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// A search ends when its time is over: the clock goes on a second whenever it is read.
func TestTimeLimit(t *testing.T) {
	now := time.Unix(0, 0)
	s := ldap.New(ldap.Config{
		Book: phonebook.New(phonebook.Config{Directory: fill(t), Open: everybody}), Base: base, Log: zaptest.NewLogger(t),
		Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	c := dial(t, run(t, s, listen(t)))
	limited := ask("(objectClass=inetOrgPerson)")
	limited.TimeLimit = 1
	r, err := c.Search(limited)
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultTimeLimitExceeded), "%v", err)
	assert.Len(t, r.Entries, 49, "what was found until then: the first fifty, of which one cannot be called")
	whole := ask("(objectClass=inetOrgPerson)")
	whole.BaseDN = "ou=people," + base
	r, err = c.Search(whole)
	require.NoError(t, err)
	assert.Len(t, r.Entries, 123, "the limit of the server is longer")
}

// failing is a listener that cannot take a connection at first.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	return f.Listener.Accept()
}

// One connection that cannot be taken does not end the server, and with it the gateway.
func TestAcceptFails(t *testing.T) {
	s := ldap.New(ldap.Config{Book: phonebook.New(phonebook.Config{Directory: fill(t), Open: everybody}), Base: base, Log: zaptest.NewLogger(t)})
	l := &failing{listen(t), []error{syscall.EMFILE, syscall.ECONNABORTED}}
	r, err := dial(t, run(t, s, l)).Search(ask("(telephoneNumber=5001)"))
	require.NoError(t, err)
	assert.Len(t, r.Entries, 1)
}

// Who is called is found by what was dialled, also where that is an address.
func TestReverseLookup(t *testing.T) {
	c := dial(t, serve(t, everybody(), true))
	for filter, want := range map[string]string{
		"(telephoneNumber=5001)":                  "Phòng họp Đà Nẵng",
		"(telephoneNumber=+842363888999)":         "Phòng họp Đà Nẵng",
		"(telephoneNumber=*888999)":               "Phòng họp Đà Nẵng",
		"(telephoneNumber=ubnd@hop.example.vn)":   "Ủy ban",
		"(telephoneNumber=ubnd@hop*)":             "Ủy ban",
		"(telephoneNumber=192.0.2.9)":             "Phòng (2), tầng *",
		"(telephoneNumber=192.0.*)":               "Phòng (2), tầng *",
		"(telephoneNumber=*0.2.9)":                "Phòng (2), tầng *",
		"(&(telephoneNumber=*hop.example*)(o=*))": "Ủy ban",
	} {
		r, err := c.Search(ask("(&(objectClass=inetOrgPerson)" + filter + ")"))
		if assert.NoError(t, err, filter) {
			assert.Equal(t, []string{want}, names(r), filter)
		}
	}
}
