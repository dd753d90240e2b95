package h460

import (
	"errors"
	"fmt"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
)

// TraversalParameters is the type of H.460.19 that channels carry.
type TraversalParameters struct {
	MultiplexedMediaChannel        *h245.TransportAddress `per:"multiplexedMediaChannel,optional"`
	MultiplexedMediaControlChannel *h245.TransportAddress `per:"multiplexedMediaControlChannel,optional"`
	MultiplexID                    *uint32                `per:"multiplexID,optional,range=0..4294967295"`
	KeepAliveChannel               *h245.TransportAddress `per:"keepAliveChannel,optional"`
	KeepAlivePayloadType           *uint8                 `per:"keepAlivePayloadType,optional,range=0..127"`
	KeepAliveInterval              *uint32                `per:"keepAliveInterval,optional,range=1..4294967295"`
	Extensions                     *per.Extensions
}

// MediaMessage identifies TraversalParameters in the genericInformation of a channel.
const MediaMessage per.OID = "0.0.8.460.19.0.1"

// traversalParameters is their number in it.
const traversalParameters = 1

// ErrParameters is returned for traversal parameters that cannot be read.
var ErrParameters = errors.New("h460: bad traversal parameters")

// Message wraps the parameters for a channel.
func (p *TraversalParameters) Message() (h245.GenericMessage, error) {
	raw, err := per.Marshal(p)
	if err != nil {
		return h245.GenericMessage{}, err
	}
	id, number := MediaMessage, uint8(traversalParameters)
	return h245.GenericMessage{
		MessageIdentifier: h245.CapabilityIdentifier{Standard: &id},
		MessageContent: []h245.GenericParameter{{
			ParameterIdentifier: h245.ParameterIdentifier{Standard: &number},
			ParameterValue:      h245.ParameterValue{OctetString: raw},
		}},
	}, nil
}

// ReadParameters finds the parameters among what a channel carries; nil when they are
// not there. A message without content stands beside them where two products met on the
// way.
func ReadParameters(list []h245.GenericMessage) (*TraversalParameters, error) {
	for i := range list {
		if id := list[i].MessageIdentifier.Standard; id == nil || *id != MediaMessage {
			continue
		}
		for _, c := range list[i].MessageContent {
			number := c.ParameterIdentifier.Standard
			if number == nil || *number != traversalParameters || c.ParameterValue.OctetString == nil {
				continue
			}
			p := new(TraversalParameters)
			if _, err := per.Decode(c.ParameterValue.OctetString, p); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrParameters, err)
			}
			return p, nil
		}
	}
	return nil, nil
}
