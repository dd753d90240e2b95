package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// applied records what Live puts into force.
type applied struct {
	err      error
	next     chan *config.Config
	outcomes chan config.Outcome
}

func (a *applied) apply(_ context.Context, _, next *config.Config) error {
	if a.err != nil {
		return a.err
	}
	a.next <- next
	return nil
}

// live loads text from a file and follows it.
func live(t *testing.T, text string) (*config.Live, *applied, string) {
	t.Helper()
	clearEnv(t)
	file := write(t, text)
	c, err := config.Load(file)
	require.NoError(t, err)
	l, a := newLive(t, file, c)
	return l, a, file
}

func newLive(t *testing.T, file string, c *config.Config) (*config.Live, *applied) {
	t.Helper()
	a := &applied{next: make(chan *config.Config, 10), outcomes: make(chan config.Outcome, 10)}
	l := config.NewLive(zaptest.NewLogger(t), file, c, a.apply)
	l.Report = func(o config.Outcome) { a.outcomes <- o }
	return l, a
}

func TestReloadAppliesWhatItCan(t *testing.T) {
	l, _, file := live(t, "log: {level: info}\nlimits: {max_calls: 5}\nsip: {udp: ':5060'}\n")
	require.NoError(t, os.WriteFile(file, []byte("log: {level: debug, format: json}\nlimits: {max_calls: 6}\nsip: {udp: ':5070'}\n"), 0o600))
	require.NoError(t, l.Reload(t.Context()))

	c, o := l.Current(), l.Outcome()
	assert.Equal(t, "debug", c.Log.Level)
	assert.Equal(t, 6, c.Limits.MaxCalls)
	assert.Equal(t, config.Addresses{":5060"}, c.SIP.UDP, "needs a restart")
	assert.Equal(t, "console", c.Log.Format, "needs a restart")
	assert.Equal(t, []string{"limits.max_calls", "log.level"}, o.Changed)
	assert.Equal(t, []string{"sip.udp", "log.format"}, o.NeedRestart)
	assert.Equal(t, 1, o.Reloads)
	assert.NoError(t, o.Err)
	assert.WithinDuration(t, time.Now(), o.At, time.Minute)
}

func TestReloadableKeys(t *testing.T) {
	for _, tc := range []struct{ key, before, after string }{
		{"limits.max_calls", "limits: {max_calls: 1}", "limits: {max_calls: 2}"},
		{"meetings.phone_numbers", "", "meetings: {phone_numbers: ['+84 24 7100 0000']}"},
		{"phonebook.open", "", "phonebook: {open: [{cidr: 10.0.0.0/8}]}"},
		{"meetings.banners", "", "meetings: {banners: false}"},
		{"meetings.clock", "", "meetings: {clock: Asia/Ho_Chi_Minh}"},
		{"meetings.chat", "", "meetings: {chat: true}"},
		{"video.simulcast", "", "video: {simulcast: off}"},
		{"meetings.lecture_turn", "", "meetings: {lecture_turn: 5s}"},
		{"meetings.early_join", "", "meetings: {early_join: 1m}"},
		{"limits.api_requests", "limits: {api_requests: 1}", "limits: {api_requests: 2}"},
		{"drain_timeout", "drain_timeout: 1s", "drain_timeout: 2s"},
		{"log.level", "log: {level: info}", "log: {level: warn}"},
		{"admin.api_key", "admin: {api_key: 0123456789abcdef}", "admin: {api_key: fedcba9876543210}"},
		{"accounts", "", "accounts: [{username: a, password: b}]"},
		{"trunks", "", "trunks: [{name: a, cidrs: [192.0.2.1]}]"},
		{"dial_rules", "", "dial_rules: [{prefix: a, meeting: b}]"},
		{"sip.tls.cert", "sip: {tls: {cert: a, key: k}}", "sip: {tls: {cert: b, key: k}}"},
		{"http.tls.key", "http: {tls: {cert: a, key: k}}", "http: {tls: {cert: a, key: l}}"},
		{"http.trusted_proxies", "", "http: {trusted_proxies: [10.0.0.1]}"},
		{"meetings.auto_create", "", "meetings: {auto_create: true}"},
	} {
		t.Run(tc.key, func(t *testing.T) {
			l, _, file := live(t, tc.before)
			require.NoError(t, os.WriteFile(file, []byte(tc.after), 0o600))
			require.NoError(t, l.Reload(t.Context()))
			assert.Equal(t, []string{tc.key}, l.Outcome().Changed)
			assert.Empty(t, l.Outcome().NeedRestart)
		})
	}
}

func TestReloadKeepsTheOldOnError(t *testing.T) {
	l, a, file := live(t, "log: {level: warn}\n")
	before := l.Current()

	require.NoError(t, os.WriteFile(file, []byte("log: {level: loud}\n"), 0o600))
	err := l.Reload(t.Context())
	assert.ErrorContains(t, err, "roomgate.yaml:1: log.level: ")
	assert.Same(t, before, l.Current())
	assert.Equal(t, err, l.Outcome().Err)

	a.err = errors.New("certificate is not readable")
	require.NoError(t, os.WriteFile(file, []byte("log: {level: debug}\n"), 0o600))
	assert.ErrorContains(t, l.Reload(t.Context()), "certificate is not readable")
	assert.Same(t, before, l.Current())
	assert.Equal(t, 2, l.Outcome().Failures)

	require.NoError(t, os.Remove(file))
	assert.ErrorIs(t, l.Reload(t.Context()), os.ErrNotExist)
	assert.Same(t, before, l.Current())

	a.err = nil
	require.NoError(t, os.WriteFile(file, []byte("log: {level: error}\n"), 0o600))
	require.NoError(t, l.Reload(t.Context()))
	assert.NoError(t, l.Outcome().Err)
	assert.Equal(t, "error", l.Current().Log.Level)
}

// TestFileChanges changes the file as people and machines do.
func TestFileChanges(t *testing.T) {
	const text = "log: {level: debug}\n"
	for name, change := range map[string]func(t *testing.T, file string){
		"written in place": func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		},
		"replaced by an editor": func(t *testing.T, file string) {
			require.NoError(t, os.Rename(file, file+"~"))
			require.NoError(t, os.WriteFile(file+".new", []byte(text), 0o600))
			require.NoError(t, os.Rename(file+".new", file))
		},
		"written in pieces": func(t *testing.T, file string) {
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
			require.NoError(t, err)
			for _, piece := range []string{"log: {lev", "el: deb", "ug}\n"} {
				_, err = f.WriteString(piece)
				require.NoError(t, err)
			}
			require.NoError(t, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, a, file := live(t, "log: {level: info}\n")
			follow(t, l)
			change(t, file)
			assert.Equal(t, "debug", awaitApplied(t, a).Log.Level)
			assert.Zero(t, l.Outcome().Failures)
		})
	}
}

// TestLinkedFileChanges replaces a folder behind a link, as Kubernetes does
// with a ConfigMap.
func TestLinkedFileChanges(t *testing.T) {
	clearEnv(t)
	dir := t.TempDir()
	for version, text := range map[string]string{"v1": "log: {level: info}", "v2": "log: {level: debug}"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "roomgate.yaml"), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink("v1", filepath.Join(dir, "..data")))
	file := filepath.Join(dir, "roomgate.yaml")
	require.NoError(t, os.Symlink("..data/roomgate.yaml", file))
	c, err := config.Load(file)
	require.NoError(t, err)
	l, a := newLive(t, file, c)
	follow(t, l)

	require.NoError(t, os.Symlink("v2", filepath.Join(dir, "..new")))
	require.NoError(t, os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
	assert.Equal(t, "debug", awaitApplied(t, a).Log.Level)
}

// TestNamedFilesAreFollowed changes a secret and a certificate, not the file.
func TestNamedFilesAreFollowed(t *testing.T) {
	clearEnv(t)
	dir := t.TempDir()
	put := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	file := write(t, "admin: {api_key_file: "+put("key", "0123456789abcdef")+"}\nhttp: {tls: {cert: "+put("c", "one")+", key: "+put("k", "one")+"}}\n")
	c, err := config.Load(file)
	require.NoError(t, err)
	l, a := newLive(t, file, c)
	follow(t, l)

	put("key", "fedcba9876543210")
	assert.Equal(t, "fedcba9876543210", awaitApplied(t, a).Admin.APIKey)
	put("c", "two")
	awaitApplied(t, a)
	assert.Empty(t, l.Outcome().Changed, "the certificate has changed, not the configuration")
}

// follow runs l until the test is over.
func follow(t *testing.T, l *config.Live) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
}

// awaitApplied waits for a reload to be over.
func awaitApplied(t *testing.T, a *applied) *config.Config {
	t.Helper()
	select {
	case o := <-a.outcomes:
		require.NoError(t, o.Err)
		return <-a.next
	case <-time.After(20 * time.Second):
		t.Fatal("the change was not noticed")
		return nil
	}
}
