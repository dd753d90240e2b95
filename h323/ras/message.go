package ras

import (
	"reflect"

	"github.com/roomgate/roomgate/h323/h225"
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

// number gives the requestSeqNum field of a message; false when it has none.
func number(m *h225.RASMessage) (reflect.Value, bool) {
	f := fields[KindOf(m)]
	if f.number < 0 {
		return reflect.Value{}, false
	}
	return reflect.ValueOf(m).Elem().Field(f.message).Elem().Field(f.number), true
}

// Number gives the requestSeqNum of a message: 1 to 65535, or 0 when it has none.
func Number(m *h225.RASMessage) uint16 {
	if m.AdmissionConfirmSequence != nil {
		if len(m.AdmissionConfirmSequence) == 0 {
			return 0
		}
		return m.AdmissionConfirmSequence[0].RequestSeqNum
	}
	v, ok := number(m)
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
	if v, ok := number(m); ok {
		v.SetUint(uint64(n))
	}
}
