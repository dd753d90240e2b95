package ras

import (
	"fmt"
	"reflect"

	"github.com/roomgate/roomgate/h323/h225"
)

// Kind is the kind of a RAS message, by its abbreviation in H.225.0.
type Kind uint8

// Kinds, in the order of the CHOICE RasMessage.
const (
	None Kind = iota // no message, or one of a later version
	GRQ
	GCF
	GRJ
	RRQ
	RCF
	RRJ
	URQ
	UCF
	URJ
	ARQ
	ACF
	ARJ
	BRQ
	BCF
	BRJ
	DRQ
	DCF
	DRJ
	LRQ
	LCF
	LRJ
	IRQ
	IRR
	NonStandard
	XRS
	RIP
	RAI
	RAC
	IACK
	INAK
	SCI
	SCR
	ACFS // admissionConfirmSequence
)

var kindNames = [...]string{
	"none", "GRQ", "GCF", "GRJ", "RRQ", "RCF", "RRJ", "URQ", "UCF", "URJ", "ARQ", "ACF", "ARJ", "BRQ", "BCF", "BRJ",
	"DRQ", "DCF", "DRJ", "LRQ", "LCF", "LRJ", "IRQ", "IRR", "nonStandard", "XRS", "RIP", "RAI", "RAC", "IACK", "INAK",
	"SCI", "SCR", "ACF sequence",
}

// String gives the abbreviation.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// IsRequest reports whether the other side has to answer. An IRR is one when it
// asks for it, which is for the caller to look at (clause 7.15.2).
func (k Kind) IsRequest() bool {
	switch k {
	case GRQ, RRQ, URQ, ARQ, BRQ, DRQ, LRQ, IRQ, RAI, SCI:
		return true
	}
	return false
}

// answers are the request that each answer belongs to. XRS and RIP answer any.
var answers = map[Kind]Kind{
	GCF: GRQ, GRJ: GRQ, RCF: RRQ, RRJ: RRQ, UCF: URQ, URJ: URQ, ACF: ARQ, ARJ: ARQ, ACFS: ARQ, BCF: BRQ, BRJ: BRQ,
	DCF: DRQ, DRJ: DRQ, LCF: LRQ, LRJ: LRQ, IRR: IRQ, RAC: RAI, IACK: IRR, INAK: IRR, SCR: SCI,
}

// Answers reports whether a message of kind k can be the answer to a request.
func (k Kind) Answers(request Kind) bool {
	return k == XRS || k == RIP || request != None && answers[k] == request
}

// field is where a kind stands in RASMessage, and requestSeqNum in its struct; number
// is -1 when it has none.
type field struct{ message, number int }

// fields are those of every kind, found once.
var fields = findFields()

func findFields() []field {
	list := make([]field, len(kindNames))
	list[None].number = -1
	t := reflect.TypeFor[h225.RASMessage]()
	kind := None
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" || f.Name == "Other" {
			continue
		}
		kind++
		list[kind] = field{message: i, number: -1}
		if f.Type.Kind() != reflect.Pointer {
			continue
		}
		if n, ok := f.Type.Elem().FieldByName("RequestSeqNum"); ok {
			list[kind].number = n.Index[0]
		}
	}
	return list
}
