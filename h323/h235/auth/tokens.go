package auth

import (
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
)

// tokens are the two lists of a message; nil pointers when it has none.
type tokens struct {
	clear  *[]h235.ClearToken
	crypto *[]h225.CryptoH323Token
}

func rasTokens(m *h225.RASMessage) tokens {
	if t := requestTokens(m); t.clear != nil {
		return t
	}
	return answerTokens(m)
}

func requestTokens(m *h225.RASMessage) tokens {
	switch {
	case m.GatekeeperRequest != nil:
		return tokens{&m.GatekeeperRequest.Tokens, &m.GatekeeperRequest.CryptoTokens}
	case m.RegistrationRequest != nil:
		return tokens{&m.RegistrationRequest.Tokens, &m.RegistrationRequest.CryptoTokens}
	case m.UnregistrationRequest != nil:
		return tokens{&m.UnregistrationRequest.Tokens, &m.UnregistrationRequest.CryptoTokens}
	case m.AdmissionRequest != nil:
		return tokens{&m.AdmissionRequest.Tokens, &m.AdmissionRequest.CryptoTokens}
	case m.BandwidthRequest != nil:
		return tokens{&m.BandwidthRequest.Tokens, &m.BandwidthRequest.CryptoTokens}
	case m.DisengageRequest != nil:
		return tokens{&m.DisengageRequest.Tokens, &m.DisengageRequest.CryptoTokens}
	case m.LocationRequest != nil:
		return tokens{&m.LocationRequest.Tokens, &m.LocationRequest.CryptoTokens}
	case m.InfoRequest != nil:
		return tokens{&m.InfoRequest.Tokens, &m.InfoRequest.CryptoTokens}
	case m.InfoRequestResponse != nil:
		return tokens{&m.InfoRequestResponse.Tokens, &m.InfoRequestResponse.CryptoTokens}
	case m.NonStandardMessage != nil:
		return tokens{&m.NonStandardMessage.Tokens, &m.NonStandardMessage.CryptoTokens}
	case m.ResourcesAvailableIndicate != nil:
		return tokens{&m.ResourcesAvailableIndicate.Tokens, &m.ResourcesAvailableIndicate.CryptoTokens}
	case m.ServiceControlIndication != nil:
		return tokens{&m.ServiceControlIndication.Tokens, &m.ServiceControlIndication.CryptoTokens}
	}
	return tokens{}
}

func answerTokens(m *h225.RASMessage) tokens {
	switch {
	case m.GatekeeperConfirm != nil:
		return tokens{&m.GatekeeperConfirm.Tokens, &m.GatekeeperConfirm.CryptoTokens}
	case m.GatekeeperReject != nil:
		return tokens{&m.GatekeeperReject.Tokens, &m.GatekeeperReject.CryptoTokens}
	case m.RegistrationConfirm != nil:
		return tokens{&m.RegistrationConfirm.Tokens, &m.RegistrationConfirm.CryptoTokens}
	case m.RegistrationReject != nil:
		return tokens{&m.RegistrationReject.Tokens, &m.RegistrationReject.CryptoTokens}
	case m.UnregistrationConfirm != nil:
		return tokens{&m.UnregistrationConfirm.Tokens, &m.UnregistrationConfirm.CryptoTokens}
	case m.UnregistrationReject != nil:
		return tokens{&m.UnregistrationReject.Tokens, &m.UnregistrationReject.CryptoTokens}
	case m.AdmissionConfirm != nil:
		return tokens{&m.AdmissionConfirm.Tokens, &m.AdmissionConfirm.CryptoTokens}
	case m.AdmissionReject != nil:
		return tokens{&m.AdmissionReject.Tokens, &m.AdmissionReject.CryptoTokens}
	case m.BandwidthConfirm != nil:
		return tokens{&m.BandwidthConfirm.Tokens, &m.BandwidthConfirm.CryptoTokens}
	case m.BandwidthReject != nil:
		return tokens{&m.BandwidthReject.Tokens, &m.BandwidthReject.CryptoTokens}
	case m.DisengageConfirm != nil:
		return tokens{&m.DisengageConfirm.Tokens, &m.DisengageConfirm.CryptoTokens}
	case m.DisengageReject != nil:
		return tokens{&m.DisengageReject.Tokens, &m.DisengageReject.CryptoTokens}
	case m.LocationConfirm != nil:
		return tokens{&m.LocationConfirm.Tokens, &m.LocationConfirm.CryptoTokens}
	case m.LocationReject != nil:
		return tokens{&m.LocationReject.Tokens, &m.LocationReject.CryptoTokens}
	case m.UnknownMessageResponse != nil:
		return tokens{&m.UnknownMessageResponse.Tokens, &m.UnknownMessageResponse.CryptoTokens}
	case m.RequestInProgress != nil:
		return tokens{&m.RequestInProgress.Tokens, &m.RequestInProgress.CryptoTokens}
	case m.ResourcesAvailableConfirm != nil:
		return tokens{&m.ResourcesAvailableConfirm.Tokens, &m.ResourcesAvailableConfirm.CryptoTokens}
	case m.InfoRequestAck != nil:
		return tokens{&m.InfoRequestAck.Tokens, &m.InfoRequestAck.CryptoTokens}
	case m.InfoRequestNak != nil:
		return tokens{&m.InfoRequestNak.Tokens, &m.InfoRequestNak.CryptoTokens}
	case m.ServiceControlResponse != nil:
		return tokens{&m.ServiceControlResponse.Tokens, &m.ServiceControlResponse.CryptoTokens}
	}
	return tokens{}
}

// bodyTokens are those of a call signalling message. An empty body has none.
func bodyTokens(b *h225.MessageBody) tokens {
	switch {
	case b.Setup != nil:
		return tokens{&b.Setup.Tokens, &b.Setup.CryptoTokens}
	case b.CallProceeding != nil:
		return tokens{&b.CallProceeding.Tokens, &b.CallProceeding.CryptoTokens}
	case b.Connect != nil:
		return tokens{&b.Connect.Tokens, &b.Connect.CryptoTokens}
	case b.Alerting != nil:
		return tokens{&b.Alerting.Tokens, &b.Alerting.CryptoTokens}
	case b.Information != nil:
		return tokens{&b.Information.Tokens, &b.Information.CryptoTokens}
	case b.ReleaseComplete != nil:
		return tokens{&b.ReleaseComplete.Tokens, &b.ReleaseComplete.CryptoTokens}
	case b.Facility != nil:
		return tokens{&b.Facility.Tokens, &b.Facility.CryptoTokens}
	case b.Progress != nil:
		return tokens{&b.Progress.Tokens, &b.Progress.CryptoTokens}
	case b.Status != nil:
		return tokens{&b.Status.Tokens, &b.Status.CryptoTokens}
	case b.StatusInquiry != nil:
		return tokens{&b.StatusInquiry.Tokens, &b.StatusInquiry.CryptoTokens}
	case b.SetupAcknowledge != nil:
		return tokens{&b.SetupAcknowledge.Tokens, &b.SetupAcknowledge.CryptoTokens}
	case b.Notify != nil:
		return tokens{&b.Notify.Tokens, &b.Notify.CryptoTokens}
	}
	return tokens{}
}
