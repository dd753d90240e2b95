package h323

import (
	"bytes"
	"reflect"
	"strings"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/trace"
)

// What a leg says and hears is kept for the ladder of its call, less its secrets:
// tokens of H.235, keys of media, keypad digits, and a PIN behind an alias.

// traceSignal keeps a message of call signalling, and the H.245 in it.
func (l *leg) traceSignal(in bool, k *link, payload []byte) {
	if l.e.cfg.Trace == nil || k == nil {
		return
	}
	m, err := callsig.Parse(payload)
	if err != nil {
		return
	}
	data := bytes.Clone(payload)
	maskSignal(data, m)
	l.trace(trace.Message{
		In: in, Protocol: trace.H225, Transport: "tcp", Local: k.conn.Local(), Remote: k.conn.Remote(),
		Summary: strings.ToUpper(m.Type().String()), Data: data,
	})
	for _, pdu := range m.Control {
		l.traceControl(trace.Message{In: in, Local: k.conn.Local(), Remote: k.conn.Remote(), Within: true}, pdu)
	}
}

// traceControl keeps H.245.
func (l *leg) traceControl(m trace.Message, pdu []byte) {
	if l.e.cfg.Trace == nil {
		return
	}
	masked, names := maskControl(pdu)
	m.Protocol, m.Transport, m.Data, m.Summary = trace.H245, "tcp", masked, strings.Join(names, ", ")
	l.trace(m)
}

func (l *leg) trace(m trace.Message) { l.e.cfg.Trace.AddTo(l.Info().ID, m) }

// maskSignal masks in place.
func maskSignal(data []byte, m *callsig.Message) {
	if m.UU != nil {
		blotTokens(data, reflect.ValueOf(m.UU))
	}
	for _, pdu := range m.Control {
		if masked, _ := maskControl(pdu); len(masked) == len(pdu) && !bytes.Equal(masked, pdu) {
			replace(data, pdu, masked)
		}
	}
	if d := m.Digits(); d != "" && m.Type() == q931.Information {
		replace(data, []byte(d), bytes.Repeat([]byte{'*'}, len(d)))
	}
	dialled := m.Dialled()
	for _, name := range []string{dialled.Alias, dialled.URI} {
		blotPIN(data, name)
	}
}

// blotPIN masks the digits behind the first * or # of a dialled name, in each of the
// ways that a name can be written.
func blotPIN(data []byte, name string) {
	at := strings.IndexAny(name, "*#")
	if at < 0 {
		return
	}
	pin := strings.TrimLeft(name[at:], "*#")
	pin, _, _ = strings.Cut(pin, "@")
	if pin == "" {
		return
	}
	name, _, _ = strings.Cut(name, "@")
	stars := name[:strings.LastIndex(name, pin)] + strings.Repeat("*", len(pin))
	for _, write := range []func(string) []byte{func(s string) []byte { return []byte(s) }, bmp, packed} {
		if from, to := write(name), write(stars); len(from) == len(to) {
			replace(data, from, to)
		}
	}
}

// bmp is a BMPString (X.691 clause 30: two octets a character).
func bmp(s string) []byte {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r>>8), byte(r))
	}
	return out
}

// packed is dialledDigits: four bits a character, in the order of the alphabet
// (X.691 clause 30.5.4). An odd last character is left out.
func packed(s string) []byte {
	const alphabet = "#*,0123456789"
	var out []byte
	for i := 0; i+1 < len(s); i += 2 {
		a, b := strings.IndexByte(alphabet, s[i]), strings.IndexByte(alphabet, s[i+1])
		if a < 0 || b < 0 {
			return nil
		}
		out = append(out, byte(a<<4|b))
	}
	return out
}

func replace(data, from, to []byte) {
	if len(from) == 0 || len(from) != len(to) {
		return
	}
	for at := 0; ; {
		i := bytes.Index(data[at:], from)
		if i < 0 {
			return
		}
		copy(data[at+i:], to)
		at += i + len(from)
	}
}

// leastSecret is the least length of what is masked in tokens and keys: what is
// shorter says what they are, not what is in them.
const leastSecret = 5

// blotTokens masks the octets in tokens and keys, wherever they are in a value.
func blotTokens(data []byte, v reflect.Value) {
	walk(v, false, func(secret []byte) { trace.Blot(data, secret) })
}

func walk(v reflect.Value, inside bool, blot func([]byte)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), inside, blot)
		}
	case reflect.Struct:
		name := v.Type().Name()
		if b, ok := v.Interface().(per.BitString); ok {
			if inside && len(b.Bytes) >= leastSecret {
				blot(b.Bytes)
			}
			return
		}
		inside = inside || strings.Contains(name, "Token") || name == "EncryptionSync" || strings.Contains(name, "H235Key")
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), inside, blot)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if inside && v.Kind() == reflect.Slice && v.Len() >= leastSecret {
				blot(v.Bytes())
			}
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), inside, blot)
		}
	}
}

// maskControl gives H.245 without keys and digits, and the names of its messages.
func maskControl(pdu []byte) (masked []byte, names []string) {
	list, err := h245.Parse(pdu)
	masked = bytes.Clone(pdu)
	if err != nil && len(list) == 0 {
		return masked, []string{"not understood"}
	}
	for _, m := range list {
		names = append(names, nameOf(m))
		blotTokens(masked, reflect.ValueOf(m))
		if m.Indication == nil || m.Indication.UserInput == nil || len(list) != 1 {
			continue
		}
		if maskDigits(m.Indication.UserInput) {
			if again, err := m.Marshal(); err == nil {
				masked = again
			}
		}
	}
	return masked, names
}

// maskDigits takes the digits out of a UserInputIndication.
func maskDigits(u *h245.UserInputIndication) bool {
	stars := func(s *string) bool {
		if s == nil {
			return false
		}
		*s = strings.Repeat("*", len(*s))
		return true
	}
	switch {
	case u.Signal != nil:
		u.Signal.SignalType = strings.Repeat("*", len(u.Signal.SignalType))
		return true
	case u.ExtendedAlphanumeric != nil:
		u.ExtendedAlphanumeric.Alphanumeric = strings.Repeat("*", len(u.ExtendedAlphanumeric.Alphanumeric))
		return true
	}
	return stars(u.Alphanumeric)
}

// nameOf is the name of a message: that of the alternative that is set.
func nameOf(m *h245.MultimediaSystemControlMessage) string {
	for _, v := range []any{m.Request, m.Response, m.Command, m.Indication} {
		value := reflect.ValueOf(v)
		if value.IsNil() {
			continue
		}
		value = value.Elem()
		for i := range value.NumField() {
			f := value.Field(i)
			if value.Type().Field(i).IsExported() && f.Kind() == reflect.Pointer && !f.IsNil() {
				name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("per"), ",")
				return name
			}
		}
	}
	return "unknown"
}

// traceKey finds a call by its identifier.
func traceKey(id [16]byte) string { return "h323 " + string(id[:]) }

// TraceRAS keeps what a gatekeeper and a terminal say about a call of ours, for its
// ladder.
func TraceRAS(keep *trace.Recorder) func(callID [16]byte, sent bool, path ras.Path, m *h225.RASMessage, pdu []byte) {
	if keep == nil {
		return nil
	}
	return func(callID [16]byte, sent bool, path ras.Path, m *h225.RASMessage, pdu []byte) {
		begins := m.AdmissionRequest != nil
		if !keep.Wants(traceKey(callID), begins) {
			return
		}
		data := bytes.Clone(pdu)
		blotTokens(data, reflect.ValueOf(m))
		if q := m.AdmissionRequest; q != nil {
			for _, name := range alias.Texts(q.DestinationInfo) {
				blotPIN(data, name)
			}
		}
		transport := "udp"
		if path.Stream != nil {
			transport = "tcp"
		}
		keep.Add(traceKey(callID), trace.Message{
			In: !sent, Protocol: trace.RAS, Transport: transport, Local: path.Local, Remote: path.Remote,
			Summary: ras.KindOf(m).String(), Data: data,
		}, begins)
	}
}
