package bfcp

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func ptr[T any](v T) *T { return &v }

// bodies has every primitive, with everything in it.
func bodies() []Body {
	status := &RequestInformation{
		ID: 7, Overall: &RequestStatus{Accepted, 2}, OverallInfo: "wait", Priority: ptr(Priority(2)), Info: "slides",
		Floors:      []FloorState{{Floor: 1, Status: &RequestStatus{Status: Pending}, Info: "soon"}, {Floor: 2}},
		Beneficiary: &User{ID: 5, Name: "Hà Nội", URI: "sip:a@example.com"}, RequestedBy: &User{ID: 6},
	}
	return []Body{
		&FloorRequest{Floors: []uint16{1, 2}, Beneficiary: ptr(uint16(9)), Info: "trình chiếu", Priority: ptr(Priority(4))},
		&FloorRelease{Request: 7},
		&FloorRequestQuery{Request: 7},
		&FloorRequestStatus{Information: status},
		&UserQuery{Beneficiary: ptr(uint16(9))},
		&UserStatus{Beneficiary: &User{ID: 9, Name: "x"}, Requests: []*RequestInformation{{ID: 7}, {ID: 8, Overall: &RequestStatus{Status: Granted}}}},
		&FloorQuery{Floors: []uint16{1}},
		&FloorStatus{Floors: []uint16{1}, Requests: []*RequestInformation{{ID: 3, Beneficiary: &User{ID: 4}}}},
		&ChairAction{Information: &RequestInformation{ID: 7, Floors: []FloorState{{Floor: 1, Status: &RequestStatus{Status: Denied}}}}},
		&ChairActionAck{},
		&Hello{},
		capable(2),
		&Error{Code: UnknownMandatory, Unknown: []AttributeType{77}, Info: "what is that"},
		&FloorRequestStatusAck{}, &FloorStatusAck{}, &Goodbye{}, &GoodbyeAck{},
		&Unknown{Code: 99, others: others{[]Attribute{{Type: 100, Mandatory: true, Value: []byte{1, 2, 3}}}}},
	}
}

func messages(t testing.TB) (list [][]byte) {
	for i, b := range bodies() {
		m := &Message{Header: Header{Version: 2, Response: i%2 == 0, Conference: 1 << 20, Transaction: uint16(i + 1), User: 3}, Body: b}
		data, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, data)
	}
	return list
}

func TestEveryMessageBothWays(t *testing.T) {
	for i, b := range bodies() {
		data := messages(t)[i]
		m, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", b.Primitive(), err)
			continue
		}
		if !reflect.DeepEqual(m.Body, b) || m.Transaction != uint16(i+1) || m.User != 3 || m.Conference != 1<<20 || m.Response != (i%2 == 0) {
			t.Errorf("%s: read %+v, written %+v", b.Primitive(), m.Body, b)
		}
		if len(data)%4 != 0 {
			t.Errorf("%s: %d octets", b.Primitive(), len(data))
		}
	}
}

// Every strict prefix fails cleanly, and names what it is.
func TestPrefixes(t *testing.T) {
	for _, data := range messages(t) {
		for n := range len(data) {
			m, err := Parse(data[:n])
			if err == nil {
				t.Fatalf("%x: a prefix of %d octets was read", data, n)
			}
			if (m == nil) != (n < headerSize) {
				t.Errorf("prefix of %d octets: message %v", n, m)
			}
		}
	}
}

func TestWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		data       []byte
		is         error
	}{
		{name: "version", data: []byte{0x60, 11, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, is: ErrVersion},
		{name: "length", data: []byte{0x20, 11, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1}, is: ErrLength},
		{name: "fragment", data: []byte{0x48, 11, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}, is: ErrFragment},
		{name: "attribute of length 1", data: []byte{0x20, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 5, 1, 0, 0}, want: "FloorRequest[0]: length 1"},
		{name: "floor of one octet", data: []byte{0x20, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 5, 3, 7, 0}, want: "FloorRequest[0]: FLOOR-ID"},
		{name: "status within", data: []byte{0x20, 4, 0, 3, 0, 0, 0, 1, 0, 1, 0, 1, 31, 12, 0, 1, 37, 8, 0, 1, 11, 3, 1, 0}, want: "REQUEST-STATUS"},
	} {
		_, err := Parse(tc.data)
		if err == nil || tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// Texts of any length leave a message that can be read.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("ệ", 400)
	info := &RequestInformation{ID: 1, Overall: &RequestStatus{Status: Granted}, OverallInfo: long, Info: long,
		Beneficiary: &User{ID: 1, Name: long, URI: long}, RequestedBy: &User{ID: 2, Name: long, URI: long}}
	for range 40 {
		info.Floors = append(info.Floors, FloorState{Floor: 1, Info: long})
	}
	for _, b := range []Body{&FloorRequest{Info: long}, &Error{Info: long}, &FloorRequestStatus{Information: info}} {
		data, err := (&Message{Header: Header{Version: 1}, Body: b}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", b.Primitive(), err)
		}
		if s, ok := m.Body.(*FloorRequestStatus); ok && s.Information.Status() != Granted {
			t.Error("the status was lost")
		}
		texts := ""
		switch b := m.Body.(type) {
		case *FloorRequest:
			texts = b.Info
		case *Error:
			texts = b.Info
		case *FloorRequestStatus:
			texts = b.Information.OverallInfo
		}
		if texts == "" || !utf8.ValidString(texts) {
			t.Errorf("%s: a character was cut in two: %q", b.Primitive(), texts)
		}
	}
}

func TestFragments(t *testing.T) {
	status := &FloorStatus{Floors: []uint16{1}}
	for i := range 60 {
		status.Requests = append(status.Requests, &RequestInformation{ID: uint16(i), Info: "a participant who waits"})
	}
	data, err := (&Message{Header: Header{Version: 2, Conference: 1, Transaction: 5, User: 2}, Body: status}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{MTU, 64, 20} {
		parts := Fragments(data, size)
		for _, order := range [][]int{forward(len(parts)), backward(len(parts)), append(forward(len(parts)-1), forward(len(parts))...)} {
			var r Reassembler
			var whole []byte
			for _, i := range order {
				if len(parts[i]) > size {
					t.Fatalf("a part of %d octets", len(parts[i]))
				}
				if got := r.Add(at(0), parts[i]); got != nil {
					whole = got
				}
			}
			if !bytes.Equal(whole, data) {
				t.Errorf("size %d: %d octets came together", size, len(whole))
			}
		}
	}
	if parts := Fragments(data[:headerSize], MTU); len(parts) != 1 {
		t.Error("a short message was split")
	}
}

// Parts that never become whole are bounded and forgotten.
func TestPartsAreForgotten(t *testing.T) {
	var r Reassembler
	for i := range 100 {
		r.Add(at(0), []byte{0x48, 8, 0xff, 0, 0, 0, 0, 1, byte(i), 1, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4})
	}
	if n := len(r.partial); n > maxPartial {
		t.Errorf("%d messages are kept", n)
	}
	r.Add(at(20), []byte{0x48, 8, 0, 2, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4})
	if n := len(r.partial); n != 1 {
		t.Errorf("%d messages are kept after their time", n)
	}
}

func forward(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

func backward(n int) (list []int) {
	for i := range n {
		list = append(list, n-1-i)
	}
	return list
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.data)
	}
	for _, data := range messages(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Reassembler
		if whole := r.Add(at(0), data); whole != nil {
			data = whole
		}
		m, err := Parse(data)
		if err != nil {
			return
		}
		again, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil {
			t.Fatalf("%x written as %x: %v", data, again, err)
		}
		third, _ := back.Marshal()
		if !bytes.Equal(third, again) {
			t.Fatalf("%x written as %x, then as %x", data, again, third)
		}
		talk(t, data)
	})
}
