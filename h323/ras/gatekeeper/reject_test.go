package gatekeeper

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/per"
)

var source = netip.MustParseAddrPort("198.51.100.7:1719")

func closed(c *Config)   { c.Settings.Mode = Closed }
func accounts(c *Config) { c.Settings.Mode, c.Settings.Accounts = OnlyAccounts, roomAccount }
func elsewhere(c *Config) {
	c.Settings.Allow = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
}

var roomAccount = NewList([]Account{{Username: "room", Password: "s3cret", Aliases: []string{"2001"}}})

func generic(n int64) []h225.GenericData {
	return []h225.GenericData{{ID: h225.GenericIdentifier{Standard: &n}}}
}

func TestSearchRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*Config)
		change func(*h225.GatekeeperRequest)
		want   string
	}{
		{"ours", nil, func(q *h225.GatekeeperRequest) { q.GatekeeperIdentifier = ptr("GK") }, "GCF"},
		{"no identifier", nil, nil, "GCF"},
		{"somebody else's", nil, func(q *h225.GatekeeperRequest) { q.GatekeeperIdentifier = ptr("other") }, "GRJ terminalExcluded"},
		{"closed", closed, nil, "GRJ terminalExcluded"},
		{"elsewhere", elsewhere, nil, "GRJ terminalExcluded"},
		{"strange protocol", nil, func(q *h225.GatekeeperRequest) { q.ProtocolIdentifier = "1.2.3" }, "GRJ invalidRevision"},
		{"needs a feature", nil, func(q *h225.GatekeeperRequest) {
			q.FeatureSet = &h225.FeatureSet{NeededFeatures: generic(18)}
		}, "GRJ neededFeatureNotSupported"},
		{"needs a feature that we have", func(c *Config) { c.Traversal = true }, func(q *h225.GatekeeperRequest) {
			q.FeatureSet = &h225.FeatureSet{NeededFeatures: generic(18)}
		}, "GCF"},
		{"password by a way that we do not know", accounts, func(q *h225.GatekeeperRequest) {
			q.AuthenticationCapability = append(q.AuthenticationCapability, certSign)
		}, "GRJ securityDenial"},
		{"full", func(c *Config) { c.Settings.MaxRegistrations = 1 }, nil, "GRJ resourceUnavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := newZone(t, c.config)
			if c.name == "full" {
				z.register(newDevice("198.51.100.1", "first"))
			}
			q := &h225.GatekeeperRequest{
				ProtocolIdentifier: h225.ProtocolIdentifier, RASAddress: transport(source),
				EndpointType: h225.EndpointType{Terminal: &h225.TerminalInfo{}},
			}
			if c.change != nil {
				c.change(q)
			}
			require.Equal(t, c.want, outcome(z.ask(source, &h225.RASMessage{GatekeeperRequest: q})))
		})
	}
}

func TestRegistrationRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*Config)
		change func(*h225.RegistrationRequest)
		want   string
	}{
		{"plain", nil, nil, "RCF"},
		{"version 1", nil, func(q *h225.RegistrationRequest) { q.ProtocolIdentifier = "0.0.8.2250.0.1" }, "RCF"},
		{"strange protocol", nil, func(q *h225.RegistrationRequest) { q.ProtocolIdentifier = "0.0.8.2250.1" }, "RRJ invalidRevision"},
		{"of another gatekeeper", nil, func(q *h225.RegistrationRequest) { q.GatekeeperIdentifier = ptr("other") }, "RRJ discoveryRequired"},
		{"closed", closed, nil, "RRJ securityDenial"},
		{"elsewhere", elsewhere, nil, "RRJ securityDenial"},
		{"without address for calls", nil, func(q *h225.RegistrationRequest) { q.CallSignalAddress = nil }, "RRJ invalidCallSignalAddress"},
		{"over IPX", nil, func(q *h225.RegistrationRequest) {
			q.CallSignalAddress = []h225.TransportAddress{{IPXAddress: &h225.TransportAddressIPXAddress{}}}
		}, "RRJ transportNotSupported"},
		{"without address for RAS", nil, func(q *h225.RegistrationRequest) { q.RASAddress = nil }, "RRJ invalidRASAddress"},
		{"a gatekeeper", nil, func(q *h225.RegistrationRequest) {
			q.TerminalType = h225.EndpointType{Gatekeeper: &h225.GatekeeperInfo{}}
		}, "RRJ invalidTerminalType"},
		{"needs a feature", nil, func(q *h225.RegistrationRequest) {
			q.FeatureSet = &h225.FeatureSet{NeededFeatures: generic(18)}
		}, "RRJ neededFeatureNotSupported"},
		{"empty alias", nil, func(q *h225.RegistrationRequest) {
			q.TerminalAlias = append(q.TerminalAlias, h225.AliasAddress{H323ID: ptr(" ")})
		}, "RRJ invalidAlias"},
		{"range of numbers", nil, func(q *h225.RegistrationRequest) {
			number := h225.PartyNumber{E164Number: &h225.PublicPartyNumber{PublicTypeOfNumber: h225.PublicTypeOfNumber{Unknown: true}, PublicNumberDigits: "1"}}
			q.TerminalAliasPattern = []h225.AddressPattern{{Range: &h225.AddressPatternRange{StartOfRange: number, EndOfRange: number}}}
		}, "RRJ invalidTerminalAliases"},
		{"too many aliases", nil, func(q *h225.RegistrationRequest) {
			for i := range 100 {
				q.TerminalAlias = append(q.TerminalAlias, alias.Of(string(rune('a'+i%26))+string(rune('a'+i/26))))
			}
		}, "RRJ resourceUnavailable"},
		{"additive to nothing", nil, func(q *h225.RegistrationRequest) {
			q.AdditiveRegistration, q.EndpointIdentifier = true, ptr("nobody")
		}, "RRJ fullRegistrationRequired"},
		{"keep-alive of nobody", nil, func(q *h225.RegistrationRequest) {
			q.KeepAlive, q.EndpointIdentifier = ptr(true), ptr("nobody")
		}, "RRJ fullRegistrationRequired"},
		{"without password", accounts, nil, "RRJ securityDenial"},
		{"alias of an account", func(c *Config) { c.Settings.Accounts = roomAccount }, func(q *h225.RegistrationRequest) {
			q.TerminalAlias = []h225.AliasAddress{alias.Of("2001")}
		}, "RRJ securityDenial"},
		{"other alias beside accounts", func(c *Config) { c.Settings.Accounts = roomAccount }, nil, "RCF"},
		{"alias of another terminal", nil, func(q *h225.RegistrationRequest) {
			q.TerminalAlias = []h225.AliasAddress{alias.Of("FIRST")}
		}, "RRJ duplicateAlias"},
		{"full", func(c *Config) { c.Settings.MaxRegistrations = 1 }, nil, "RRJ resourceUnavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := newZone(t, func(config *Config) {
				if c.config != nil {
					c.config(config)
				}
			})
			if c.config == nil || c.name == "full" {
				z.register(newDevice("198.51.100.1", "first"))
			}
			q := newDevice(source.Addr().String(), "second").rrq()
			if c.change != nil {
				c.change(q)
			}
			require.Equal(t, c.want, outcome(z.ask(source, &h225.RASMessage{RegistrationRequest: q})))
		})
	}
}

func TestAdmissionRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*Config)
		change func(*h225.AdmissionRequest)
		want   string
	}{
		{"to a meeting", nil, nil, "ACF"},
		{"to nobody", nil, func(q *h225.AdmissionRequest) { q.DestinationInfo[0] = alias.Of("nobody") }, "ARJ calledPartyNotRegistered"},
		{"of nobody", nil, func(q *h225.AdmissionRequest) { q.EndpointIdentifier = "nobody" }, "ARJ callerNotRegistered"},
		{"without called party", nil, func(q *h225.AdmissionRequest) { q.DestinationInfo = nil }, "ARJ incompleteAddress"},
		{"of another gatekeeper", nil, func(q *h225.AdmissionRequest) { q.GatekeeperIdentifier = ptr("other") }, "ARJ requestDenied"},
		{"without bandwidth left", func(c *Config) { c.Settings.TotalBandwidth = 50_000 }, nil, "ARJ requestDenied"},
		{"to a gateway without resources", nil, func(q *h225.AdmissionRequest) { q.DestinationInfo[0] = alias.Of("99123") }, "ARJ resourceUnavailable"},
		{"to an address that is not served", nil, func(q *h225.AdmissionRequest) {
			q.DestinationInfo, q.DestCallSignalAddress = nil, ptr(transport(netip.MustParseAddrPort("203.0.113.5:1720")))
		}, "ARJ calledPartyNotRegistered"},
		{"to our address", nil, func(q *h225.AdmissionRequest) {
			q.DestinationInfo, q.DestCallSignalAddress = nil, ptr(transport(ourSignalling))
		}, "ACF"},
		{"being called", nil, func(q *h225.AdmissionRequest) { q.AnswerCall, q.DestinationInfo = true, nil }, "ACF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := newZone(t, c.config)
			gateway := newDevice("198.51.100.1", "gateway")
			z.registerGateway(gateway, "99")
			require.Equal(t, "RAC", outcome(z.ask(gateway.ras, &h225.RASMessage{ResourcesAvailableIndicate: &h225.ResourcesAvailableIndicate{
				ProtocolIdentifier: h225.ProtocolIdentifier, EndpointIdentifier: gateway.id, AlmostOutOfResources: true,
			}})))
			d := newDevice("198.51.100.7", "caller")
			z.register(d)
			q := d.arq(1, "demo")
			if c.change != nil {
				c.change(q)
			}
			require.Equal(t, c.want, outcome(z.admit(d, q)))
		})
	}
}

// TestOtherRefusals: requests about what is not there.
func TestOtherRefusals(t *testing.T) {
	z := newZone(t, nil)
	d, other := newDevice("198.51.100.7", "caller"), newDevice("198.51.100.8", "other")
	z.register(d)
	z.register(other)
	require.Equal(t, "ACF", outcome(z.admit(d, d.arq(1, "demo"))))
	for name, c := range map[string]struct {
		m    *h225.RASMessage
		want string
	}{
		"URQ of nobody":  {&h225.RASMessage{UnregistrationRequest: &h225.UnregistrationRequest{EndpointIdentifier: ptr("nobody")}}, "URJ notCurrentlyRegistered"},
		"BRQ of nobody":  {&h225.RASMessage{BandwidthRequest: &h225.BandwidthRequest{EndpointIdentifier: "nobody"}}, "BRJ notBound"},
		"BRQ of no call": {&h225.RASMessage{BandwidthRequest: &h225.BandwidthRequest{EndpointIdentifier: d.id}}, "BRJ invalidConferenceID"},
		"DRQ of nobody":  {&h225.RASMessage{DisengageRequest: &h225.DisengageRequest{EndpointIdentifier: "nobody", DisengageReason: normal}}, "DRJ notRegistered"},
		"DRQ of no call": {&h225.RASMessage{DisengageRequest: &h225.DisengageRequest{EndpointIdentifier: d.id, DisengageReason: normal}}, "DCF"},
		"DRQ of another's call": {&h225.RASMessage{DisengageRequest: &h225.DisengageRequest{
			EndpointIdentifier: other.id, DisengageReason: normal, CallIdentifier: &h225.CallIdentifier{GUID: [16]byte{1}},
		}}, "DRJ requestToDropOther"},
		"LRQ of a stranger": {&h225.RASMessage{LocationRequest: &h225.LocationRequest{
			DestinationInfo: []h225.AliasAddress{alias.Of("caller")}, ReplyAddress: transport(source),
		}}, "LRJ invalidPermission"},
		"LRQ without called party": {&h225.RASMessage{LocationRequest: &h225.LocationRequest{EndpointIdentifier: &d.id, ReplyAddress: transport(source)}}, "LRJ incompleteAddress"},
		"IRR of nobody": {&h225.RASMessage{InfoRequestResponse: &h225.InfoRequestResponse{
			EndpointIdentifier: "nobody", RASAddress: transport(source), NeedResponse: ptr(true),
		}}, "INAK notRegistered"},
		"IRQ": {&h225.RASMessage{InfoRequest: &h225.InfoRequest{}}, "XRS"},
		"nonStandard": {&h225.RASMessage{NonStandardMessage: &h225.NonStandardMessage{NonStandardData: h225.NonStandardParameter{
			NonStandardIdentifier: h225.NonStandardIdentifier{H221NonStandard: &h225.H221NonStandard{}},
		}}}, "XRS"},
		"later version": {&h225.RASMessage{Other: &per.Alternative{Index: 40, Raw: []byte{1, 2, 3}}}, "XRS"},
		"SCI":           {&h225.RASMessage{ServiceControlIndication: &h225.ServiceControlIndication{ServiceControl: []h225.ServiceControlSession{}}}, "SCR"},
	} {
		t.Run(name, func(t *testing.T) {
			z.t = t
			list := z.from(source, c.m)
			require.Len(t, list, 1)
			require.Equal(t, c.want, outcome(list[0].m))
		})
	}
	z.t = t
	require.Equal(t, 1, must(z.g.Usage()), "the call is still there")
	z.pass(time.Second)
}

func must(n int, _ uint64) int { return n }
