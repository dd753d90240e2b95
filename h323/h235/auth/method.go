package auth

import (
	"fmt"
	"slices"

	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/per"
)

// Method is a way to show knowledge of a password.
type Method uint8

// Methods, the better ones first.
const (
	Baseline Method = iota + 1 // H.235.1 procedure I
	Password                   // cryptoEPPwdHash, MD5
	Access                     // Cisco access token
)

// Methods lists all, in the order we prefer.
func Methods() []Method { return []Method{Baseline, Password, Access} }

var names = map[Method]string{Baseline: "h235.1", Password: "md5", Access: "cat"}

// String is the name in configuration and logs.
func (m Method) String() string {
	if n, ok := names[m]; ok {
		return n
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// ParseMethod reads a name: h235.1, md5 or cat.
func ParseMethod(name string) (Method, error) {
	for m, n := range names {
		if n == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("authentication method %q: want h235.1, md5 or cat", name)
}

// Advertise gives what a GRQ or GCF says for the method: a mechanism and an algorithm
// (authenticationMode, algorithmOID).
func (m Method) Advertise() (h235.AuthenticationMechanism, per.OID) {
	switch m {
	case Baseline:
		return h235.AuthenticationMechanism{PwdHash: true}, h235.HMACSHA196
	case Password:
		return h235.AuthenticationMechanism{PwdHash: true}, h235.MD5
	case Access:
		bes := &h235.AuthenticationBES{Radius: true}
		return h235.AuthenticationMechanism{AuthenticationBES: bes}, h235.AccessToken
	}
	return h235.AuthenticationMechanism{}, ""
}

// AdvertiseAll gives authenticationCapability and algorithmOIDs of a GRQ.
func AdvertiseAll(methods []Method) (mechanisms []h235.AuthenticationMechanism, algorithms []per.OID) {
	hashed := false
	for _, m := range methods {
		mechanism, algorithm := m.Advertise()
		algorithms = append(algorithms, algorithm)
		if mechanism.PwdHash && hashed {
			continue // both methods that hash share it
		}
		hashed = hashed || mechanism.PwdHash
		mechanisms = append(mechanisms, mechanism)
	}
	return mechanisms, algorithms
}

// Choose picks the first of ours that a GRQ offers; ok is false when there is none.
func Choose(ours []Method, mechanisms []h235.AuthenticationMechanism, algorithms []per.OID) (m Method, ok bool) {
	for _, m := range ours {
		mechanism, algorithm := m.Advertise()
		offered := slices.ContainsFunc(mechanisms, func(o h235.AuthenticationMechanism) bool {
			return same(mechanism, o)
		})
		if offered && slices.Contains(algorithms, algorithm) {
			return m, true
		}
	}
	return 0, false
}

// Chosen reads what a GCF says.
func Chosen(mode *h235.AuthenticationMechanism, algorithm *per.OID) (m Method, ok bool) {
	if mode == nil || algorithm == nil {
		return 0, false
	}
	return Choose(Methods(), []h235.AuthenticationMechanism{*mode}, []per.OID{*algorithm})
}

func same(a, b h235.AuthenticationMechanism) bool {
	bes := a.AuthenticationBES != nil && b.AuthenticationBES != nil
	return a.PwdHash && b.PwdHash || bes && a.AuthenticationBES.Radius == b.AuthenticationBES.Radius
}
