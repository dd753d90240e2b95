package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// overheard follows what a terminal in a meeting hears.
type overheard struct {
	t    *testing.T
	set  *prompt.Set
	file string
	from int // samples that were listened to
}

// announces waits until names, which are tones here, and what is told of them are heard.
func (o *overheard) announces(id prompt.ID, names ...float64) {
	o.t.Helper()
	eventually(o.t, 30*time.Second, fmt.Sprintf("%v %s", names, id), func() bool {
		rate, pcm := readWAV(o.t, o.file)
		if o.from >= len(pcm) {
			return false
		}
		part := pcm[o.from:]
		c := prompt.Clip{Language: prompt.English, ID: id}
		heard := recognised(o.t, o.set, rate, part, c)[c] > 0.6
		for _, hz := range names {
			heard = heard && heardTone(part, rate, hz)
		}
		if heard {
			o.from = len(pcm)
		}
		return heard
	})
}

// Phones say a name in the lobby; the others hear it when they come and when they go. All
// that is said is a tone, and they are muted in the meeting: it is heard in the name alone.
func TestNamesAreTold(t *testing.T) {
	set := prompts(t)
	g := startGateway(t, "lobby: {language: en, names: phones}\n")
	g.makeMeeting(map[string]any{"alias": "88001", "guest_pin": "1234", "join_muted": true})
	file := filepath.Join(t.TempDir(), "heard.wav")
	mate := startRoom(t, 0, "--call", "88001*1234@"+gatewayIP, "--audio", "silence", "--audio-only", "--record-audio", file)
	g.inMeeting("88001", "active", 1)
	others := &overheard{t: t, set: set, file: file}

	old := startRoom(t, 700, "--protocol", "h323", "--audio-only", "--call", "lobby@"+gatewayIP, "--dtmf", "88001#1234#")
	phone := startBaresip(t, peerOptions{hz: 500, codecs: "PCMU"})
	during(t, mate.process, old.process, phone.process)
	phone.dial("sip:lobby@" + gatewayIP)
	phone.established()
	heard := listener{phone: phone, set: set}
	heard.says(prompt.Clip{Language: prompt.English, ID: prompt.Meeting})
	phone.press("88001#")
	heard.says(prompt.Clip{Language: prompt.English, ID: prompt.PIN})
	phone.press("1234#")
	heard.says(prompt.Clip{Language: prompt.English, ID: prompt.Name})
	heard.says(prompt.Clip{Language: prompt.English, ID: prompt.JoinedMuted})
	g.inMeeting("88001", "active", 3)
	others.announces(prompt.Came, 500, 700)
	eventually(t, 10*time.Second, "nothing but names is heard", func() bool {
		rate, pcm := lastSecond(file)
		return power(pcm, rate, 500) < -50 && power(pcm, rate, 700) < -50
	})
	phone.hangup()
	old.stop()
	others.announces(prompt.Went, 500, 700)
	mate.stop()
	g.noCalls()
}
