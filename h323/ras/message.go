package ras

import (
	"reflect"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
)

// KindOf tells what kind a message is.
func KindOf(m *h225.RASMessage) Kind {
	v := reflect.ValueOf(m).Elem()
	for k := GRQ; int(k) < len(fields); k++ {
		if !v.Field(fields[k].message).IsNil() {
			return k
		}
	}
	return None
}

// part gives a field of the message of a kind; false when it has none.
func part(m *h225.RASMessage, at func(field) int) (reflect.Value, bool) {
	kind := KindOf(m)
	if kind == None || at(fields[kind]) < 0 {
		return reflect.Value{}, false
	}
	return reflect.ValueOf(m).Elem().Field(fields[kind].message).Elem().Field(at(fields[kind])), true
}

// Number gives the requestSeqNum of a message: 1 to 65535, or 0 when it has none.
func Number(m *h225.RASMessage) uint16 {
	if m.AdmissionConfirmSequence != nil {
		if len(m.AdmissionConfirmSequence) == 0 {
			return 0
		}
		return m.AdmissionConfirmSequence[0].RequestSeqNum
	}
	v, ok := part(m, func(f field) int { return f.number })
	if !ok {
		return 0
	}
	return uint16(v.Uint())
}

// SetNumber sets the requestSeqNum of a message that has one.
func SetNumber(m *h225.RASMessage, n uint16) {
	for i := range m.AdmissionConfirmSequence {
		m.AdmissionConfirmSequence[i].RequestSeqNum = n
	}
	if v, ok := part(m, func(f field) int { return f.number }); ok {
		v.SetUint(uint64(n))
	}
}

// Tokens gives the list of clear tokens of a message, to read or to change; nil
// when its kind has none.
func Tokens(m *h225.RASMessage) *[]h235.ClearToken {
	v, ok := part(m, func(f field) int { return f.tokens })
	if !ok {
		return nil
	}
	return v.Addr().Interface().(*[]h235.ClearToken)
}

// CryptoTokens is Tokens for those that prove something.
func CryptoTokens(m *h225.RASMessage) *[]h225.CryptoH323Token {
	v, ok := part(m, func(f field) int { return f.cryptoTokens })
	if !ok {
		return nil
	}
	return v.Addr().Interface().(*[]h225.CryptoH323Token)
}
