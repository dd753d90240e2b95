package ras_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// every lists a message of each kind, in the order of Kind.
func every() []*h225.RASMessage {
	return []*h225.RASMessage{
		{GatekeeperRequest: &h225.GatekeeperRequest{}}, {GatekeeperConfirm: &h225.GatekeeperConfirm{}}, {GatekeeperReject: &h225.GatekeeperReject{}},
		{RegistrationRequest: &h225.RegistrationRequest{}}, {RegistrationConfirm: &h225.RegistrationConfirm{}}, {RegistrationReject: &h225.RegistrationReject{}},
		{UnregistrationRequest: &h225.UnregistrationRequest{}}, {UnregistrationConfirm: &h225.UnregistrationConfirm{}}, {UnregistrationReject: &h225.UnregistrationReject{}},
		{AdmissionRequest: &h225.AdmissionRequest{}}, {AdmissionConfirm: &h225.AdmissionConfirm{}}, {AdmissionReject: &h225.AdmissionReject{}},
		{BandwidthRequest: &h225.BandwidthRequest{}}, {BandwidthConfirm: &h225.BandwidthConfirm{}}, {BandwidthReject: &h225.BandwidthReject{}},
		{DisengageRequest: &h225.DisengageRequest{}}, {DisengageConfirm: &h225.DisengageConfirm{}}, {DisengageReject: &h225.DisengageReject{}},
		{LocationRequest: &h225.LocationRequest{}}, {LocationConfirm: &h225.LocationConfirm{}}, {LocationReject: &h225.LocationReject{}},
		{InfoRequest: &h225.InfoRequest{}}, {InfoRequestResponse: &h225.InfoRequestResponse{}}, {NonStandardMessage: &h225.NonStandardMessage{}},
		{UnknownMessageResponse: &h225.UnknownMessageResponse{}}, {RequestInProgress: &h225.RequestInProgress{}},
		{ResourcesAvailableIndicate: &h225.ResourcesAvailableIndicate{}}, {ResourcesAvailableConfirm: &h225.ResourcesAvailableConfirm{}},
		{InfoRequestAck: &h225.InfoRequestAck{}}, {InfoRequestNak: &h225.InfoRequestNak{}},
		{ServiceControlIndication: &h225.ServiceControlIndication{}}, {ServiceControlResponse: &h225.ServiceControlResponse{}},
		{AdmissionConfirmSequence: []h225.AdmissionConfirm{{}, {}}},
	}
}

func TestKinds(t *testing.T) {
	kind := ras.GRQ
	for _, m := range every() {
		require.Equal(t, kind, ras.KindOf(m))
		require.Zero(t, ras.Number(m))
		ras.SetNumber(m, 7)
		require.EqualValues(t, 7, ras.Number(m), "%s", kind)
		kind++
	}
	require.Equal(t, ras.ACFS+1, kind, "all kinds")
	none := &h225.RASMessage{}
	require.Equal(t, ras.None, ras.KindOf(none))
	require.Zero(t, ras.Number(none))
	ras.SetNumber(none, 7)
	require.Equal(t, "kind 200", ras.Kind(200).String())
	require.Equal(t, "ARQ", ras.ARQ.String())
}

func TestAnswers(t *testing.T) {
	for request, answers := range map[ras.Kind][]ras.Kind{
		ras.GRQ: {ras.GCF, ras.GRJ}, ras.RRQ: {ras.RCF, ras.RRJ}, ras.URQ: {ras.UCF, ras.URJ}, ras.ARQ: {ras.ACF, ras.ARJ, ras.ACFS},
		ras.BRQ: {ras.BCF, ras.BRJ}, ras.DRQ: {ras.DCF, ras.DRJ}, ras.LRQ: {ras.LCF, ras.LRJ}, ras.IRQ: {ras.IRR},
		ras.RAI: {ras.RAC}, ras.SCI: {ras.SCR},
	} {
		require.True(t, request.IsRequest())
		fits := map[ras.Kind]bool{ras.XRS: true, ras.RIP: true}
		for _, a := range answers {
			fits[a] = true
			require.False(t, a.IsRequest())
		}
		for k := ras.None; k <= ras.ACFS; k++ {
			require.Equal(t, fits[k], k.Answers(request), "%s to %s", k, request)
		}
	}
	require.False(t, ras.None.Answers(ras.None))
}

func TestReason(t *testing.T) {
	require.Equal(t, "securityDenial", ras.Reason(&h225.RASMessage{RegistrationReject: &h225.RegistrationReject{
		RejectReason: h225.RegistrationRejectReason{SecurityDenial: true},
	}}))
	require.Equal(t, "duplicateAlias", ras.Reason(&h225.RASMessage{RegistrationReject: &h225.RegistrationReject{
		RejectReason: h225.RegistrationRejectReason{DuplicateAlias: []h225.AliasAddress{}},
	}}))
	require.Equal(t, "notRegistered", ras.Reason(&h225.RASMessage{InfoRequestNak: &h225.InfoRequestNak{
		NakReason: h225.InfoRequestNakReason{NotRegistered: true},
	}}))
	for _, m := range append(every(), &h225.RASMessage{}) {
		require.Empty(t, ras.Reason(m), "none is set")
	}
}

func TestKey(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		a    h225.AliasAddress
		want string
	}{
		{alias.Of("+8424123"), "8424123"},
		{alias.Of("Room 1 "), "room 1"},
		{alias.Of("h323:Room@Example.vn;user=x"), "room@example.vn"},
		{h225.AliasAddress{H323ID: text("1001")}, "1001"},
		{h225.AliasAddress{EmailID: text("A@b")}, "a@b"},
		{h225.AliasAddress{}, ""},
		{h225.AliasAddress{H323ID: text("  ")}, ""},
		{h225.AliasAddress{MobileUIM: &h225.MobileUIM{}}, ""},
	} {
		require.Equal(t, c.want, ras.Key(c.a))
	}
	mobile := func(imsi string) string {
		return ras.Key(h225.AliasAddress{MobileUIM: &h225.MobileUIM{GSMUIM: &h225.GSMUIM{IMSI: &imsi}}})
	}
	require.NotEmpty(t, mobile("45201"))
	require.Equal(t, mobile("45201"), mobile("45201"))
	require.NotEqual(t, mobile("45201"), mobile("45202"))
}
