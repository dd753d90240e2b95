package h460

import (
	"github.com/roomgate/roomgate/h323/h225"
)

// The features by their numbers in the H.460 series.
const (
	RASOverSignalling   = 17
	SignallingTraversal = 18
	MediaTraversal      = 19
)

// Feature describes a feature.
func Feature(number int64, parameters ...h225.EnumeratedParameter) h225.GenericData {
	return h225.GenericData{ID: standard(number), Parameters: parameters}
}

func standard(number int64) h225.GenericIdentifier { return h225.GenericIdentifier{Standard: &number} }

// Flag is a parameter without content: that it is there says it.
func Flag(number int64) h225.EnumeratedParameter {
	return h225.EnumeratedParameter{ID: standard(number)}
}

func rawParameter(number int64, data []byte) h225.EnumeratedParameter {
	return h225.EnumeratedParameter{ID: standard(number), Content: &h225.Content{Raw: data}}
}

// Find looks for a feature in a list; nil when it is not there.
func Find(list []h225.GenericData, number int64) *h225.GenericData {
	for i := range list {
		if is(&list[i].ID, number) {
			return &list[i]
		}
	}
	return nil
}

func is(id *h225.GenericIdentifier, number int64) bool {
	return id.Standard != nil && *id.Standard == number
}

// InSet looks for a feature among those needed, desired and supported; nil when it is
// not there.
func InSet(s *h225.FeatureSet, number int64) *h225.GenericData {
	if s == nil {
		return nil
	}
	for _, list := range [][]h225.GenericData{s.NeededFeatures, s.DesiredFeatures, s.SupportedFeatures} {
		if f := Find(list, number); f != nil {
			return f
		}
	}
	return nil
}

// InSetup looks for a feature in a SETUP, which has the three lists without a set around
// them.
func InSetup(s *h225.Setup, number int64) *h225.GenericData {
	return InSet(&h225.FeatureSet{
		NeededFeatures: s.NeededFeatures, DesiredFeatures: s.DesiredFeatures, SupportedFeatures: s.SupportedFeatures,
	}, number)
}

// parameter finds a parameter of a feature; nil when it is not there.
func parameter(f *h225.GenericData, number int64) *h225.EnumeratedParameter {
	for i := range f.Parameters {
		if is(&f.Parameters[i].ID, number) {
			return &f.Parameters[i]
		}
	}
	return nil
}

// MediaFeature is what a side says about H.460.19 in a call.
type MediaFeature struct {
	// Multiplexes: it can send media with an identifier before each datagram.
	Multiplexes bool
	// Server: it is the one that can be reached.
	Server bool
}

// The parameters of feature 19.
const (
	supportsMultiplexed = 1
	mediaServer         = 2
)

// Data describes the feature for a message.
func (m MediaFeature) Data() h225.GenericData {
	f := Feature(MediaTraversal)
	if m.Multiplexes {
		f.Parameters = append(f.Parameters, Flag(supportsMultiplexed))
	}
	if m.Server {
		f.Parameters = append(f.Parameters, Flag(mediaServer))
	}
	return f
}

// ReadMedia reads what InSet or InSetup found; ok is false for nil.
func ReadMedia(f *h225.GenericData) (m MediaFeature, ok bool) {
	if f == nil {
		return m, false
	}
	return MediaFeature{
		Multiplexes: parameter(f, supportsMultiplexed) != nil, Server: parameter(f, mediaServer) != nil,
	}, true
}
