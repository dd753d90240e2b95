package rtpconn

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/event"
)

func TestDigitsFromOneSessionToAnother(t *testing.T) {
	a, _ := open(t)
	b, j := open(t)
	connect(t, a, b, audioParams)
	f, _, in := flow(t, a, b)
	const digits = "0123456789*#ABCD11"
	done := make(chan error, 1)
	go func() { done <- a.SendDigits(context.Background(), digits) }()
	require.NoError(t, receive(t, done, "the end of sending"))
	eventually(t, "the digits", func() bool { return j.digits() == digits })
	f.send(2, 320, "audio again")
	require.Equal(t, "audio again", string(in.next(t).Payload))
	require.Zero(t, b.Stats()[0].Lost, "digits leave no gap")
}

func TestDigitAsItIsSent(t *testing.T) {
	clock := newManualClock()
	s, _ := open(t, on(clock))
	h := newHost(t, s, "127.0.0.1")
	require.NoError(t, s.Apply(h.params(audioParams)))
	f := newFeed(pcmu)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(1, 0, "audio")
	audio := h.nextRTP()
	done := make(chan error, 1)
	go func() { done <- s.SendDigits(context.Background(), "#") }()
	want := []event.Event{
		{Code: 11, Volume: 10, Duration: 160}, {Code: 11, Volume: 10, Duration: 320},
		{Code: 11, Volume: 10, Duration: 480}, {Code: 11, Volume: 10, Duration: 640},
		{Code: 11, Volume: 10, Duration: 800, End: true},
		{Code: 11, Volume: 10, Duration: 800, End: true},
		{Code: 11, Volume: 10, Duration: 800, End: true},
	}
	var stamp uint32
	for i, w := range want {
		p := h.nextRTP()
		var e event.Event
		require.NoError(t, e.Unmarshal(p.Payload))
		require.Equal(t, w, e, "packet %d", i)
		require.Equal(t, uint8(101), p.PayloadType)
		require.Equal(t, audio.SequenceNumber+1+uint16(i), p.SequenceNumber)
		require.Equal(t, i == 0, p.Marker)
		if i == 0 {
			stamp = p.Timestamp
			f.send(2, 160, "in the way")
		}
		require.Equal(t, stamp, p.Timestamp, "all packets of a press have one timestamp")
		clock.advance(digitStep)
	}
	eventually(t, "the end of sending", func() bool { // the pause has no packets to wait for
		clock.advance(digitStep)
		return len(done) == 1
	})
	require.NoError(t, <-done)
	f.send(3, 320, "audio")
	require.Equal(t, audio.SequenceNumber+8, h.nextRTP().SequenceNumber)
}

func TestDigitsSurviveLossAndRepetition(t *testing.T) {
	s, j := open(t)
	h := newHost(t, s, "127.0.0.1")
	require.NoError(t, s.Apply(h.params(audioParams)))
	seq := uint16(1)
	press := func(stamp uint32, code uint8, packets ...int) {
		for _, n := range packets {
			e := event.Event{Code: code, Duration: uint16(min(n, 5)) * 160, End: n >= 5}
			h.rtp(101, 5, seq, stamp, e.AppendTo(nil))
			h.rtp(101, 5, seq, stamp, e.AppendTo(nil)) // twice on the wire
			seq++
		}
	}
	press(1000, 4, 1, 2, 3)          // all ends lost
	press(4000, 4, 5, 6, 7)          // all but the ends lost
	press(8000, 2, 1, 2, 3, 4, 5, 6) // complete
	eventually(t, "the digits", func() bool { return j.digits() == "442" })
	h.rtp(101, 5, seq, 9000, []byte{1})
	eventually(t, "the short one is counted", func() bool { return s.Counters().Malformed == 1 })
	require.Equal(t, "442", j.digits())
	require.Empty(t, s.Tracks(), "digits are no track")
}

func TestEventPayloadTypeMayChange(t *testing.T) {
	s, j := open(t)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	require.NoError(t, s.Apply(p))
	h.rtp(101, 5, 1, 1000, event.Event{Code: 1}.AppendTo(nil))
	eventually(t, "a digit", func() bool { return j.digits() == "1" })
	p.ReceiveEvents = map[uint8]uint32{96: 8000}
	require.NoError(t, s.Apply(p))
	h.rtp(101, 5, 2, 5000, event.Event{Code: 2}.AppendTo(nil))
	h.rtp(96, 5, 3, 9000, event.Event{Code: 3}.AppendTo(nil))
	eventually(t, "the digit of the new type", func() bool { return j.digits() == "13" })
}

func TestSendDigitsRefuses(t *testing.T) {
	s, _ := open(t)
	require.ErrorIs(t, s.SendDigits(t.Context(), "1"), ErrNoEvents, "before the first Apply")
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	p.SendEvents = EventFormat{}
	require.NoError(t, s.Apply(p))
	require.ErrorIs(t, s.SendDigits(t.Context(), "1"), ErrNoEvents)
	require.Error(t, s.SendDigits(t.Context(), "x"))
	require.NoError(t, s.Apply(h.params(audioParams)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.SendDigits(ctx, "1"), context.Canceled)
	require.NoError(t, s.Close())
	require.Error(t, s.SendDigits(t.Context(), "1"))
}

func TestComfortNoiseHasItsOwnWay(t *testing.T) {
	s, _ := open(t)
	h := newHost(t, s, "127.0.0.1")
	require.NoError(t, s.Apply(h.params(audioParams)))
	h.rtp(0, 5, 1, 0, []byte("talk"))
	track := receive(t, s.Tracks(), "a track")
	talk, noise := newInbox("talk"), newInbox()
	defer track.Attach(talk)()
	defer track.(NoiseSource).AttachNoise(noise)()
	h.rtp(13, 5, 2, 160, []byte{60})
	h.rtp(0, 5, 3, 960, []byte("more"))
	require.Equal(t, []byte{60}, noise.next(t).Payload)
	require.Equal(t, "more", string(talk.next(t).Payload))
	require.Equal(t, media.PCMU, track.Format().Codec)
}
