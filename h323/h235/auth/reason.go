package auth

import (
	"errors"

	"github.com/roomgate/roomgate/h323/h225"
)

// Reason gives the word of H.225.0 for an error of a Checker, for GRJ, RRJ and RELEASE COMPLETE.
// Terminals older than version 4 know securityDenial only.
func Reason(err error) h225.SecurityErrors {
	switch {
	case errors.Is(err, ErrTime):
		return h225.SecurityErrors{SecurityWrongSyncTime: true}
	case errors.Is(err, ErrReplay):
		return h225.SecurityErrors{SecurityReplay: true}
	case errors.Is(err, ErrReceiver):
		return h225.SecurityErrors{SecurityWrongGeneralID: true}
	case errors.Is(err, ErrSender):
		return h225.SecurityErrors{SecurityWrongSendersID: true}
	case errors.Is(err, ErrHash):
		return h225.SecurityErrors{SecurityIntegrityFailed: true}
	}
	return h225.SecurityErrors{SecurityWrongOID: true}
}

// Reason2 is Reason for the messages with the shorter list: URQ, URJ, ARJ, BRJ, LRJ, DRJ
// and INAK.
func Reason2(err error) h225.SecurityErrors2 {
	r := Reason(err)
	return h225.SecurityErrors2{
		SecurityWrongSyncTime: r.SecurityWrongSyncTime, SecurityReplay: r.SecurityReplay,
		SecurityWrongGeneralID: r.SecurityWrongGeneralID, SecurityWrongSendersID: r.SecurityWrongSendersID,
		SecurityIntegrityFailed: r.SecurityIntegrityFailed, SecurityWrongOID: r.SecurityWrongOID,
	}
}
