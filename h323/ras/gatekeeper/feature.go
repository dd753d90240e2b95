package gatekeeper

import (
	"bytes"

	"github.com/roomgate/roomgate/h323/h225"
)

// Features of H.460 that the gatekeeper has a part in.
const (
	featureRASTunnel = 17 // H.460.17
	featureTraversal = 18 // H.460.18
)

// hasFeature looks for a feature of H.460 in a list.
func hasFeature(list []h225.GenericData, n int64) bool {
	for _, f := range list {
		if f.ID.Standard != nil && *f.ID.Standard == n {
			return true
		}
	}
	return false
}

func offers(s *h225.FeatureSet, n int64) bool {
	return s != nil && (hasFeature(s.SupportedFeatures, n) || hasFeature(s.DesiredFeatures, n) || hasFeature(s.NeededFeatures, n))
}

// features answers an offer with what we do of it; nil when that is nothing.
func (t *turn) features(offered *h225.FeatureSet) *h225.FeatureSet {
	if !t.c.Traversal || !offers(offered, featureTraversal) {
		return nil
	}
	return &h225.FeatureSet{SupportedFeatures: []h225.GenericData{{ID: h225.GenericIdentifier{Standard: ptr[int64](featureTraversal)}}}}
}

// canTravel reports whether we do all the features that a terminal needs.
func (t *turn) canTravel(s *h225.FeatureSet) bool {
	if s == nil {
		return true
	}
	for _, f := range s.NeededFeatures {
		switch {
		case f.ID.Standard == nil:
			return false
		case *f.ID.Standard == featureRASTunnel:
		case *f.ID.Standard == featureTraversal && t.c.Traversal:
		default:
			return false
		}
	}
	return true
}

// diesOfIdentifier knows products that crash on a GCF with a gatekeeperIdentifier.
func diesOfIdentifier(v *h225.VendorIdentifier) bool {
	return v != nil && bytes.Contains(v.ProductID, []byte("VC240"))
}
