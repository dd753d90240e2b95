package bridge

import (
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media/mixer"
)

// speech is mono PCM that waits for an output.
type speech struct {
	pcm  []int16
	rate int
}

// waitingSpeech bounds what a leg that does not hear yet may miss.
const waitingSpeech = 8

// Play queues a sound for the leg alone, at rate Hz, in place of what is
// playing when instead is true. A leg that cannot hear yet hears it as soon as it
// can.
func (m *Member) Play(pcm []int16, rate int, instead bool) {
	m.bridge.do(func() {
		if m.gone {
			return
		}
		if instead {
			m.stopPlaying()
		}
		if m.output == nil {
			if len(m.unheard) < waitingSpeech {
				m.unheard = append(m.unheard, speech{pcm, rate})
			}
			return
		}
		m.speak(speech{pcm, rate})
	})
}

// StopPlaying ends what Play queued.
func (m *Member) StopPlaying() {
	m.bridge.do(m.stopPlaying)
}

func (m *Member) stopPlaying() {
	m.unheard = nil
	if m.output != nil {
		m.output.StopPlaying()
	}
}

func (m *Member) speak(s speech) {
	if err := m.output.Play(s.pcm, s.rate); err != nil {
		m.log.Debug("sound not played", zap.Error(err))
	}
}

// catchUp plays what waited for the output.
func (m *Member) catchUp() {
	for _, s := range m.unheard {
		m.speak(s)
	}
	m.unheard = nil
}

// Overhear lets t have the leg's own sound, see mixer.Input.Tap; nil ends that.
func (m *Member) Overhear(t mixer.Tap) {
	m.bridge.do(func() {
		m.listener = t
		if m.input != nil {
			m.input.Tap(t)
		}
	})
}

// Announce plays a sound to every leg but one, which may be nil.
func (b *Bridge) Announce(pcm []int16, rate int, but *Member) {
	b.do(func() {
		for _, m := range b.members {
			if m != but && m.output != nil {
				m.speak(speech{pcm, rate})
			}
		}
	})
}
