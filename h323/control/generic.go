package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
)

// standard is the identifier of a generic capability or message that is an OID.
func standard(oid per.OID) h245.CapabilityIdentifier {
	return h245.CapabilityIdentifier{Standard: &oid}
}

// identifier is the OID of a generic capability, "" when it has another name.
func identifier(g *h245.GenericCapability) per.OID {
	if g.CapabilityIdentifier.Standard == nil {
		return ""
	}
	return *g.CapabilityIdentifier.Standard
}

func parameter(id uint8, value h245.ParameterValue) h245.GenericParameter {
	return h245.GenericParameter{ParameterIdentifier: h245.ParameterIdentifier{Standard: &id}, ParameterValue: value}
}

func unsignedMin(id uint8, v uint16) h245.GenericParameter {
	return parameter(id, h245.ParameterValue{UnsignedMin: &v})
}

func unsigned32Min(id uint8, v uint32) h245.GenericParameter {
	return parameter(id, h245.ParameterValue{Unsigned32Min: &v})
}

func booleanArray(id, v uint8) h245.GenericParameter {
	return parameter(id, h245.ParameterValue{BooleanArray: &v})
}

func logical(id uint8) h245.GenericParameter {
	return parameter(id, h245.ParameterValue{Logical: true})
}

// find gives the value of a parameter, of whichever numeric type it is written: peers
// differ.
func find(list []h245.GenericParameter, id uint8) (value uint32, ok bool) {
	for i := range list {
		p := &list[i]
		if p.ParameterIdentifier.Standard == nil || *p.ParameterIdentifier.Standard != id {
			continue
		}
		switch v := &p.ParameterValue; {
		case v.Logical:
			return 1, true
		case v.BooleanArray != nil:
			return uint32(*v.BooleanArray), true
		case v.UnsignedMin != nil:
			return uint32(*v.UnsignedMin), true
		case v.UnsignedMax != nil:
			return uint32(*v.UnsignedMax), true
		case v.Unsigned32Min != nil:
			return *v.Unsigned32Min, true
		case v.Unsigned32Max != nil:
			return *v.Unsigned32Max, true
		}
	}
	return 0, false
}
