package h225_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	oracle "github.com/roomgate/roomgate/h323/internal/dissect"
	"github.com/roomgate/roomgate/h323/internal/pcap"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/per/pertest"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/tpkt"
)

// opaqueToTshark are components that hold messages of other protocols or text, which
// random octets are not, and signed values, which tshark does not know.
var opaqueToTshark = map[string]bool{
	"h245Control": true, "fastStart": true, "parallelH245Control": true, "h4501SupplementaryService": true,
	"tunnelledSignallingMessage": true, "encryptionSync": true, "h235Key": true, "returnedFunction": true,
	"productId": true, "versionId": true, "productNumber": true, "versionNumber": true,
	"cryptoEPCert": true, "cryptoGKCert": true, "cryptoFastStart": true, "cryptoSignedToken": true, "certProtectedKey": true,
}

// randomEncoding encodes a random value of a root message, nil when that value is
// not one for tshark.
func randomEncoding(t *testing.T, value any, seed int) []byte {
	t.Helper()
	filler := pertest.Filler{Rand: rand.New(rand.NewPCG(uint64(seed), 7)), Depth: 5}
	if err := filler.Fill(value); err != nil {
		t.Fatal(err)
	}
	if !pertest.Without(value, opaqueToTshark) {
		return nil
	}
	data, err := per.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 60000 {
		return nil
	}
	return data
}

// conversation is a capture of messages that were never on a wire.
type conversation struct {
	pcap.Writer
	t     *testing.T
	count int
}

const firstPort = 30000

var terminalHost, gatewayHost = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")

// signal adds a Q.931 message with this user information.
func (c *conversation) signal(client uint16, information []byte) {
	m := q931.Message{Reference: q931.CallReference{Value: 7}, Type: q931.Setup}
	m.Set(q931.UserUser{Discriminator: q931.X680, Information: information}.Element())
	data, err := m.Marshal()
	if err == nil {
		data, err = tpkt.Append(nil, data)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.TCP(netip.AddrPortFrom(terminalHost, client), netip.AddrPortFrom(gatewayHost, 1720), data)
	c.count++
}

// add adds random messages of each kind, as the seed has them: RAS, call signalling,
// and H.245 in a tunnel.
func (c *conversation) add(seed int) {
	client := firstPort + uint16(seed)
	if data := randomEncoding(c.t, new(h225.RASMessage), seed); data != nil {
		c.UDP(netip.AddrPortFrom(terminalHost, client), netip.AddrPortFrom(gatewayHost, 1719), data)
		c.count++
	}
	if data := randomEncoding(c.t, new(h225.H323UserInformation), seed); data != nil {
		c.signal(client, data)
	}
	if data := randomEncoding(c.t, new(h245.MultimediaSystemControlMessage), seed); data != nil {
		var u h225.H323UserInformation
		u.H323UUPDU.H323MessageBody.Empty = true
		u.H323UUPDU.H245Tunnelling = ptr(true)
		u.H323UUPDU.H245Control = [][]byte{data}
		information, err := u.Marshal()
		if err != nil {
			c.t.Fatal(err)
		}
		c.signal(client, information)
	}
}

func ptr[T any](v T) *T { return &v }

// tshark lists what it finds wrong in a capture, and counts the messages that it sees.
func tshark(t *testing.T, capture []byte) (complaints []string, seen int) {
	t.Helper()
	complaints, seen, err := oracle.Complaints(capture, "h225")
	if errors.Is(err, oracle.ErrNoTshark) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return complaints, seen
}

// TestTsharkReadsRandomMessages: an independent decoder takes random messages of
// every kind without complaint.
func TestTsharkReadsRandomMessages(t *testing.T) {
	const messages = 1000
	c := conversation{t: t}
	for seed := range messages {
		c.add(seed)
	}
	complaints, selected := tshark(t, c.Bytes())
	if c.count < messages*2 || selected != c.count {
		t.Errorf("tshark sees %d of %d messages", selected, c.count)
	}
	for _, line := range complaints {
		t.Errorf("tshark complains: %s", line)
	}
}

// TestTsharkComplainsOfHalves makes sure that it would.
func TestTsharkComplainsOfHalves(t *testing.T) {
	var w pcap.Writer
	var data []byte
	for seed := 0; len(data) < 100; seed++ {
		data = randomEncoding(t, new(h225.RASMessage), seed)
	}
	w.UDP(netip.MustParseAddrPort("10.0.0.1:1025"), netip.MustParseAddrPort("10.0.0.2:1719"), data[:len(data)/2])
	if complaints, _ := tshark(t, w.Bytes()); len(complaints) == 0 {
		t.Error("tshark takes half a message")
	}
}
