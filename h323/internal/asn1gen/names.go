package main

import (
	"strings"
	"unicode"
)

// initialisms are words that Go writes in capitals, and others with a spelling
// of their own.
var initialisms = map[string]string{
	"uuies": "UUIEs", "ids": "IDs", "qseries": "QSeries",
}

func init() {
	for word := range strings.FieldsSeq(`id url ip tcp udp ras guid icv tls oid iv aal atm qos rsvp rtp rtcp mc mcu mtu pdu
		sdu ssrc cic isup uim imsi min mdn msisdn esn sesn soc tmsi imei hplmn vplmn fec dtmf gsm sip ca nsap crv cid scn
		h221 h222 h223 h225 h233 h234 h235 h242 h243 h245 h248 h261 h262 h263 h310 h320 h321 h322 h323 h324 t120 t38 t30 t84 t434
		v42 v75 v76 v120 dh pcr pid mpi cif qcif sqcif cif4 cif16 mb gob vc iec iso es mpeg lapm hdlc sdl ds sf gf hrd bpp uih nlpid ipx wredn ieee dscp pcf ec eck
		ecgdsa bes is des rc2 dss rfc is11172 is13818 ul dtc api sctp ber cof vbv rpi tsap psc nack fir iec61883 gk uu uuie uuid iv8 iv16`) {
		if initialisms[word] == "" {
			initialisms[word] = strings.ToUpper(word)
		}
	}
	delete(initialisms, "min")
	delete(initialisms, "is")
}

// export turns an ASN.1 name into an exported Go name: h323-ID becomes H323ID.
func export(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		for _, word := range words(part) {
			if fixed, ok := initialisms[strings.ToLower(word)]; ok {
				b.WriteString(fixed)
			} else {
				b.WriteString(strings.ToUpper(word[:1]) + word[1:])
			}
		}
	}
	return b.String()
}

// words splits lowerCamelCase before each capital that starts a word.
func words(name string) []string {
	var list []string
	start := 0
	runes := []rune(name)
	for i := 1; i < len(runes); i++ {
		lowerBefore := !unicode.IsUpper(runes[i-1])
		lowerAfter := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(runes[i]) && (lowerBefore && i-start > 1 || lowerBefore && !lowerAfter || !lowerBefore && lowerAfter && i-start > 1) {
			list = append(list, name[start:i])
			start = i
		}
	}
	return append(list, name[start:])
}

// typeName gives the Go name of a type: Setup-UUIE becomes Setup.
func typeName(name string) string {
	switch name {
	case "SIGNED", "ENCRYPTED", "HASHED":
		return name[:1] + strings.ToLower(name[1:])
	}
	return export(strings.TrimSuffix(name, "-UUIE"))
}

// shorter are names of nested types that callers write often.
var shorter = map[string]string{
	"H323UUPDUH323MessageBody":                              "MessageBody",
	"H323UserInformationUserData":                           "UserData",
	"TransportAddressIPAddress":                             "IPAddress",
	"TransportAddressIP6Address":                            "IP6Address",
	"OpenLogicalChannelForwardLogicalChannelParameters":     "ForwardLogicalChannelParameters",
	"OpenLogicalChannelReverseLogicalChannelParameters":     "ReverseLogicalChannelParameters",
	"OpenLogicalChannelAckReverseLogicalChannelParameters":  "AckReverseLogicalChannelParameters",
	"OpenLogicalChannelAckForwardMultiplexAckParameters":    "ForwardMultiplexAckParameters",
	"ForwardLogicalChannelParametersMultiplexParameters":    "ForwardMultiplexParameters",
	"ReverseLogicalChannelParametersMultiplexParameters":    "ReverseMultiplexParameters",
	"AckReverseLogicalChannelParametersMultiplexParameters": "AckReverseMultiplexParameters",
}

// nestedName gives the Go name of the type of a field that is defined in place.
func nestedName(outer, field string) string {
	if short := shorter[outer+field]; short != "" {
		return short
	}
	return outer + field
}
