package gatekeeper

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

func (z *zone) kinds() (list []string) {
	for _, e := range z.events {
		list = append(list, e.Kind.String())
	}
	z.events = nil
	return list
}

func TestRegister(t *testing.T) {
	z := newZone(t, func(c *Config) {
		c.Settings.Alternates = []Alternate{{ID: "backup", Address: netip.MustParseAddrPort("192.0.2.2:1719"), Priority: 3, Register: true}}
	})
	d := newDevice("198.51.100.7", "Room 1", "1001")
	c := z.register(d)
	require.Equal(t, d.aliases, c.TerminalAlias)
	require.EqualValues(t, 60, *c.TimeToLive)
	require.Equal(t, []h225.TransportAddress{transport(ourSignalling)}, c.CallSignalAddress)
	require.Len(t, c.AlternateGatekeeper, 1)
	require.Equal(t, "backup", *c.AlternateGatekeeper[0].GatekeeperIdentifier)
	require.True(t, c.SupportsAdditiveRegistration)

	for _, name := range []string{"room 1", "ROOM 1", "1001", "+1001", "h323:1001", "1001@gk", "gk##1001"} {
		r, ok := z.g.Lookup(name)
		require.True(t, ok, name)
		require.Equal(t, d.id, r.ID)
	}
	_, ok := z.g.Lookup("1001@elsewhere")
	require.False(t, ok)
	r, ok := z.g.ByID(d.id)
	require.True(t, ok)
	require.Equal(t, "Room 1", r.Name())
	require.Equal(t, "Test 1.0", r.Product)
	require.EqualValues(t, 7, r.Version)
	require.Equal(t, Terminal, r.Type)
	require.Equal(t, d.signalling, r.Reach())
	require.False(t, r.Translated)
	require.Equal(t, []string{"registered"}, z.kinds())
	require.True(t, z.g.Known("1001"))
	require.False(t, z.g.Known("1002"))
}

// TestAliasesOfEveryKind are kept and found, and confirmed as they came.
func TestAliasesOfEveryKind(t *testing.T) {
	at := transport(netip.MustParseAddrPort("198.51.100.7:1720"))
	list := []h225.AliasAddress{
		{DialledDigits: ptr("1001")}, {H323ID: ptr("Phòng họp")}, {URLID: ptr("h323:room@example.vn")}, {TransportID: &at},
		{EmailID: ptr("room@mail.example.vn")},
		{PartyNumber: &h225.PartyNumber{E164Number: &h225.PublicPartyNumber{
			PublicTypeOfNumber: h225.PublicTypeOfNumber{InternationalNumber: true}, PublicNumberDigits: "84241234567",
		}}},
		{MobileUIM: &h225.MobileUIM{GSMUIM: &h225.GSMUIM{IMSI: ptr("452010123456789")}}},
	}
	z := newZone(t, nil)
	d := newDevice("198.51.100.7")
	d.aliases = list
	require.Equal(t, list, z.register(d).TerminalAlias)
	for _, name := range []string{"1001", "phòng họp", "room@example.vn", "h323:room@example.vn", "198.51.100.7:1720", "room@mail.example.vn", "+84241234567"} {
		_, ok := z.g.Lookup(name)
		require.True(t, ok, name)
	}
	caller := newDevice("198.51.100.8", "caller")
	z.register(caller)
	for i, a := range list {
		q := caller.arq(byte(i))
		q.DestinationInfo = []h225.AliasAddress{a}
		require.Equal(t, "ACF", outcome(z.admit(caller, q)), "%d", i)
	}
}

func TestKeepAlive(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "room")
	z.register(d)
	for range 60 {
		z.pass(50 * time.Second)
		m := z.ask(d.ras, d.keepAlive())
		require.Equal(t, "RCF", outcome(m))
		require.Nil(t, m.RegistrationConfirm.TerminalAlias)
	}
	require.Equal(t, []string{"registered"}, z.kinds())
	// A shorter lifetime is granted, a longer one is not, and none is too short.
	for asked, granted := range map[uint32]uint32{20: 20, 3600: 60, 1: 10} {
		q := d.keepAlive()
		q.RegistrationRequest.TimeToLive = &asked
		require.Equal(t, granted, *z.ask(d.ras, q).RegistrationConfirm.TimeToLive)
	}
	// Another host cannot keep it alive, another port of the same one can.
	require.Equal(t, "RRJ fullRegistrationRequired", outcome(z.ask(netip.MustParseAddrPort("203.0.113.1:1719"), d.keepAlive())))
	require.Equal(t, "RCF", outcome(z.ask(netip.AddrPortFrom(d.ras.Addr(), 1800), d.keepAlive())))
	r, _ := z.g.ByID(d.id)
	require.Equal(t, d.ras, r.Path.Remote, "it told where it listens")
}

// TestExpiry: who lets its time pass is asked whether it lives, and gone when it does
// not answer.
func TestExpiry(t *testing.T) {
	for _, answers := range []bool{true, false} {
		t.Run(fmt.Sprint("answers ", answers), func(t *testing.T) {
			z := newZone(t, nil)
			d := newDevice("198.51.100.7", "room")
			z.register(d)
			z.take()
			z.pass(91 * time.Second)
			list := z.take()
			require.Equal(t, "IRQ", outcome(list[0].m))
			require.Equal(t, d.ras, list[0].to.Remote)
			if answers {
				z.from(d.ras, d.irr(ras.Number(list[0].m)))
				z.pass(45 * time.Second)
				_, ok := z.g.ByID(d.id)
				require.True(t, ok)
				return
			}
			z.pass(10 * time.Second)
			list = z.take()
			require.Equal(t, "URQ", outcome(list[2].m), "after two more questions")
			require.True(t, list[2].m.UnregistrationRequest.Reason.TtlExpired)
			require.Equal(t, []string{"registered", "expired"}, z.kinds())
			require.Empty(t, z.g.Registrations())
		})
	}
}

func (d *device) irr(number uint16, calls ...h225.InfoRequestResponsePerCallInfo) *h225.RASMessage {
	return &h225.RASMessage{InfoRequestResponse: &h225.InfoRequestResponse{
		RequestSeqNum: number, EndpointIdentifier: d.id, RASAddress: transport(d.ras), PerCallInfo: calls,
		CallSignalAddress: []h225.TransportAddress{transport(d.signalling)},
	}}
}

// TestMoved: a terminal whose alias is held by a registration at another address gets
// it when the old one does not answer any more.
func TestMoved(t *testing.T) {
	for _, alive := range []bool{true, false} {
		t.Run(fmt.Sprint("old one alive ", alive), func(t *testing.T) {
			z := newZone(t, nil)
			old, moved := newDevice("198.51.100.7", "room", "1001"), newDevice("203.0.113.7", "room")
			z.register(old)
			z.pass(30 * time.Second)
			q := &h225.RASMessage{RegistrationRequest: moved.rrq()}
			list := z.from(moved.ras, q)
			require.Len(t, list, 2)
			require.Equal(t, "RIP", outcome(list[0].m))
			require.Equal(t, "IRQ", outcome(list[1].m))
			require.Equal(t, old.ras, list[1].to.Remote)
			require.Empty(t, z.from(moved.ras, q), "a repeated request waits as well")
			if alive {
				list = z.from(old.ras, old.irr(ras.Number(list[1].m)))
				require.Equal(t, "RRJ duplicateAlias", outcome(list[0].m))
				require.Equal(t, moved.aliases, list[0].m.RegistrationReject.RejectReason.DuplicateAlias)
				return
			}
			z.pass(10 * time.Second)
			list = z.take()
			last := list[len(list)-1]
			require.Equal(t, "RCF", outcome(last.m))
			require.Equal(t, moved.ras, last.to.Remote)
			r, _ := z.g.Lookup("room")
			require.Equal(t, last.m.RegistrationConfirm.EndpointIdentifier, r.ID)
			r, _ = z.g.Lookup("1001")
			require.Equal(t, old.id, r.ID, "what it did not ask for stays where it was")
		})
	}
}

// TestRestarted: a terminal that comes back at the same address needs no questions.
func TestRestarted(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "room")
	z.register(d)
	first := d.id
	d.ras = netip.AddrPortFrom(d.ras.Addr(), 43000)
	d.aliases = append(d.aliases, alias.Of("1001"))
	z.register(d)
	require.Equal(t, first, d.id)
	r, _ := z.g.ByID(d.id)
	require.Equal(t, d.ras, r.Path.Remote)
	require.Equal(t, []string{"registered", "changed"}, z.kinds())
	// Nor does one that has got other names.
	d.aliases = []h225.AliasAddress{alias.Of("hall")}
	z.register(d)
	require.Equal(t, first, d.id)
	require.Len(t, z.g.Registrations(), 1)
	_, ok := z.g.Lookup("room")
	require.False(t, ok)
}

// TestLeaveByAddress: endpoints of version 1 have no identifier to leave by.
func TestLeaveByAddress(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "room")
	z.register(d)
	leave := func(from netip.AddrPort) string {
		return outcome(z.ask(from, &h225.RASMessage{UnregistrationRequest: &h225.UnregistrationRequest{
			CallSignalAddress: []h225.TransportAddress{transport(d.signalling)},
		}}))
	}
	require.Equal(t, "URJ notCurrentlyRegistered", leave(netip.MustParseAddrPort("203.0.113.1:1719")))
	require.Equal(t, "UCF", leave(d.ras))
	require.Empty(t, z.g.Registrations())
}

// TestTwoTerminalsOfAnAccount do not take an alias from each other while both live.
func TestTwoTerminalsOfAnAccount(t *testing.T) {
	z := newZone(t, accounts)
	require.Equal(t, "RCF", z.signIn("198.51.100.7", "room", auth.Password, "room", "s3cret"))
	require.Equal(t, "RRJ duplicateAlias", z.signIn("198.51.100.8", "room", auth.Password, "room", "s3cret"))
	require.Equal(t, "RCF", z.signIn("198.51.100.8", "2001", auth.Password, "room", "s3cret"))
	require.Len(t, z.g.Registrations(), 2)
	// One that goes over to another account is not there twice.
	z.g.Apply(Settings{Mode: OnlyAccounts, Accounts: NewList([]Account{
		{Username: "room", Password: "s3cret", Aliases: []string{"2001"}}, {Username: "other", Password: "pw"},
	})})
	require.Equal(t, "RCF", z.signIn("198.51.100.8", "other", auth.Password, "other", "pw"))
	require.Len(t, z.g.Registrations(), 2)
	_, ok := z.g.Lookup("2001")
	require.True(t, ok, "the account's other terminal is reached by it now")
}

func TestAdditive(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "1001")
	z.register(d)
	more := d.rrq()
	more.AdditiveRegistration, more.EndpointIdentifier = true, &d.id
	more.TerminalAlias = []h225.AliasAddress{alias.Of("1002"), alias.Of("1003")}
	require.Equal(t, "RCF", outcome(z.ask(d.ras, &h225.RASMessage{RegistrationRequest: more})))
	for _, n := range []string{"1001", "1002", "1003"} {
		r, ok := z.g.Lookup(n)
		require.True(t, ok)
		require.Equal(t, d.id, r.ID)
	}
	leave := func(names ...string) string {
		q := &h225.UnregistrationRequest{EndpointIdentifier: &d.id}
		for _, n := range names {
			q.EndpointAlias = append(q.EndpointAlias, alias.Of(n))
		}
		return outcome(z.ask(d.ras, &h225.RASMessage{UnregistrationRequest: q}))
	}
	require.Equal(t, "UCF", leave("1002"))
	_, ok := z.g.Lookup("1002")
	require.False(t, ok)
	_, ok = z.g.Lookup("1003")
	require.True(t, ok)
	require.Equal(t, "UCF", leave())
	require.Empty(t, z.g.Registrations())
	require.Equal(t, []string{"registered", "changed", "changed", "unregistered"}, z.kinds())
}

// TestTranslated: behind an address translator the answer goes where the request came
// from, and the lifetime keeps the translator open.
func TestTranslated(t *testing.T) {
	for name, c := range map[string]struct {
		source, told string
		translated   bool
	}{
		"same":               {"198.51.100.7:1719", "198.51.100.7:1719", false},
		"other port":         {"198.51.100.7:2000", "198.51.100.7:1719", false},
		"behind translator":  {"198.51.100.7:2000", "192.168.1.5:1719", true},
		"no address":         {"198.51.100.7:2000", "0.0.0.0:1719", true},
		"host of two":        {"198.51.100.9:1719", "198.51.100.7:1719", false},
		"one host, loopback": {"127.0.0.1:1719", "127.0.0.10:1719", false},
		"IPv6":               {"[2001:db8::7]:1719", "[2001:db8::7]:1719", false},
	} {
		t.Run(name, func(t *testing.T) {
			z := newZone(t, nil)
			source, told := netip.MustParseAddrPort(c.source), netip.MustParseAddrPort(c.told)
			d := &device{ras: told, signalling: netip.AddrPortFrom(told.Addr(), 1720), aliases: []h225.AliasAddress{alias.Of("room")}}
			list := z.from(source, &h225.RASMessage{RegistrationRequest: d.rrq()})
			require.Equal(t, "RCF", outcome(list[0].m))
			r := z.g.Registrations()[0]
			require.Equal(t, c.translated, r.Translated)
			if told.Addr() == source.Addr() {
				require.Equal(t, told, list[0].to.Remote)
			} else {
				require.Equal(t, source, list[0].to.Remote)
			}
			if c.translated {
				require.EqualValues(t, 19, *list[0].m.RegistrationConfirm.TimeToLive)
				require.Equal(t, netip.AddrPortFrom(source.Addr(), 1720), r.Reach())
			} else {
				require.Equal(t, d.signalling, r.Reach())
			}
		})
	}
}

// signIn registers an alias with a password, and tells what came of it.
func (z *zone) signIn(host, name string, method auth.Method, user, password string) string {
	z.t.Helper()
	d := newDevice(host, name)
	m := &h225.RASMessage{RegistrationRequest: d.rrq()}
	z.encode(m)
	z.at = z.at.Add(time.Second)
	pdu, err := z.signer.RAS(m, method, auth.Credentials{SendersID: user, Password: password})
	require.NoError(z.t, err)
	z.take()
	z.g.Receive(ras.Path{Remote: d.ras}, pdu)
	for _, sent := range z.take() {
		if sent.to.Remote == d.ras {
			return outcome(sent.m)
		}
	}
	return ""
}

// TestAccountTakesItsAlias: who knows the password gets the alias at once.
func TestAccountTakesItsAlias(t *testing.T) {
	z := newZone(t, nil)
	z.register(newDevice("198.51.100.7", "2001"))
	room := Account{Username: "room", Password: "s3cret", Aliases: []string{"2001"}}
	z.g.Apply(Settings{Accounts: NewList([]Account{room, {Username: "other", Password: "pw"}})})
	require.Equal(t, "RRJ securityDenial", z.signIn("203.0.113.7", "2001", auth.Password, "room", "guess"))
	require.Equal(t, "RCF", z.signIn("203.0.113.7", "2001", auth.Password, "room", "s3cret"))
	require.Equal(t, []string{"registered", "replaced", "registered"}, z.kinds())
	// A second terminal of the account may have its other names, other accounts not.
	require.Equal(t, "RCF", z.signIn("203.0.113.8", "room", auth.Password, "room", "s3cret"))
	require.Equal(t, "RRJ invalidAlias", z.signIn("203.0.113.9", "2001", auth.Password, "other", "pw"))
	// An alias of the account that nobody registered reaches its latest terminal.
	room.Aliases = append(room.Aliases, "2002")
	z.g.Apply(Settings{Accounts: NewList([]Account{room})})
	r, ok := z.g.Lookup("2002")
	require.True(t, ok)
	require.Equal(t, "203.0.113.8:1719", r.Path.Remote.String())
}

// TestOtherSettings: who may not be here any more is told so.
func TestOtherSettings(t *testing.T) {
	for name, s := range map[string]Settings{
		"closed": {Mode: Closed}, "accounts": {Mode: OnlyAccounts, Accounts: roomAccount},
		"elsewhere": {Allow: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}},
	} {
		t.Run(name, func(t *testing.T) {
			z := newZone(t, nil)
			z.register(newDevice("198.51.100.7", "guest"))
			z.g.Apply(Settings{Model: Direct})
			require.Empty(t, z.take())
			z.g.Apply(s)
			list := z.take()
			require.Len(t, list, 1)
			require.True(t, list[0].m.UnregistrationRequest.Reason.ReregistrationRequired)
			require.Empty(t, z.g.Registrations())
		})
	}
	z := newZone(t, accounts)
	require.Equal(t, "RCF", z.signIn("198.51.100.7", "room", auth.Password, "room", "s3cret"))
	z.g.Apply(Settings{Mode: OnlyAccounts, Accounts: roomAccount})
	require.Len(t, z.g.Registrations(), 1)
	z.g.Apply(Settings{Accounts: NewList(nil)})
	require.Empty(t, z.g.Registrations(), "its account is gone")
}

// TestGuesser: who tries passwords is locked out, with the right one too.
func TestGuesser(t *testing.T) {
	z := newZone(t, func(c *Config) {
		accounts(c)
		c.Lockout = limit.NewLockout(limit.LockoutConfig{UserFailures: 3, Now: c.Now})
	})
	for i := range 4 {
		require.Equal(t, "RRJ securityDenial", z.signIn("203.0.113.7", "room", auth.Access, "room", fmt.Sprint("guess", i)))
	}
	require.Equal(t, "RRJ securityDenial", z.signIn("203.0.113.7", "room", auth.Access, "room", "s3cret"))
	require.Equal(t, "RCF", z.signIn("198.51.100.7", "room", auth.Access, "room", "s3cret"), "others are not")
	z.at = z.at.Add(2 * time.Minute)
	require.Equal(t, "RIP", z.signIn("203.0.113.7", "room", auth.Access, "room", "s3cret"), "the other one is asked whether it lives")
}

// TestStore: registrations outlive the gatekeeper, and are forgotten when they end.
func TestStore(t *testing.T) {
	store := NewMemory()
	z := newZone(t, func(c *Config) { c.Store = store })
	d, gone := newDevice("198.51.100.7", "room"), newDevice("198.51.100.8", "gone")
	z.register(d)
	z.register(gone)
	z.g.Save(context.Background())
	require.Equal(t, "UCF", outcome(z.ask(gone.ras, &h225.RASMessage{UnregistrationRequest: &h225.UnregistrationRequest{EndpointIdentifier: &gone.id}})))
	z.g.Save(context.Background())

	again := newZone(t, func(c *Config) { c.Store = store })
	require.Len(t, again.g.Registrations(), 1)
	require.Equal(t, "RCF", outcome(again.ask(d.ras, d.keepAlive())))
	require.Empty(t, again.kinds())
}

// TestStoredProof: who proved itself before a restart has to prove itself after it.
func TestStoredProof(t *testing.T) {
	store := NewMemory()
	z := newZone(t, func(c *Config) {
		accounts(c)
		c.Store = store
	})
	require.Equal(t, "RCF", z.signIn("198.51.100.7", "room", auth.Password, "room", "s3cret"))
	d := newDevice("198.51.100.7")
	d.id = z.g.Registrations()[0].ID
	z.g.Save(context.Background())
	again := newZone(t, func(c *Config) {
		accounts(c)
		c.Store = store
	})
	require.Equal(t, "RRJ securityDenial", outcome(again.ask(d.ras, d.keepAlive())))

	closing := newZone(t, func(c *Config) {
		closed(c)
		c.Store = store
	})
	require.Empty(t, closing.g.Registrations())
	closing.g.Save(context.Background())
	kept, err := store.All(context.Background())
	require.NoError(t, err)
	require.Empty(t, kept)
}

// flaky is a store that fails for a while.
type flaky struct {
	*Memory
	broken bool
}

var errBroken = errors.New("broken")

func (f *flaky) Save(ctx context.Context, list []Registration) error {
	if f.broken {
		return errBroken
	}
	return f.Memory.Save(ctx, list)
}

func TestStoreThatFails(t *testing.T) {
	store := &flaky{NewMemory(), true}
	z := newZone(t, func(c *Config) { c.Store = store })
	z.register(newDevice("198.51.100.7", "room"))
	z.g.Save(context.Background())
	store.broken = false
	z.g.Save(context.Background())
	kept, err := store.All(context.Background())
	require.NoError(t, err)
	require.Len(t, kept, 1)
}
