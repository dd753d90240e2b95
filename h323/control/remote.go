package control

import (
	"maps"
	"slices"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
)

// remoteSet is what the far side announced, as far as it matters to us.
type remoteSet struct {
	table map[uint16]*h245.Capability
	// entries are what it receives, in the order of their numbers; only what is in
	// a descriptor may be sent.
	entries []entry
	// descriptors: of each alternative set of one descriptor, one entry at a time.
	descriptors [][][]uint16
	multiplex   *h245.H2250Capability

	packetizations map[packetization]uint8 // payload type, zero when not told
	algorithms     map[uint16][]per.OID    // by the entry they protect
	protecting     map[uint16]uint16       // number of the protecting entry to that of the protected
	events         Events
	signal         bool // UserInput signal is understood
	presents       bool // H.239
	replaces       bool // channels may be opened in place of others
}

// Bounds of what is kept of a set.
const (
	maxEntries     = 256
	maxDescriptors = 16
	maxReferences  = 4096 // from descriptors to entries
)

// empty is the set that stops us: nothing is received.
func (r *remoteSet) empty() bool { return len(r.table) == 0 && r.multiplex == nil }

// readSet reads a capability set. It updates what was announced before: entries without
// a capability are removed, others replaced (H.245 clause C.3). A set without table,
// descriptors and multiplex is the empty one.
func readSet(m *h245.TerminalCapabilitySet, before *remoteSet) (*remoteSet, *h245.TerminalCapabilitySetRejectCause) {
	r := &remoteSet{table: map[uint16]*h245.Capability{}}
	if m.MultiplexCapability == nil && len(m.CapabilityTable) == 0 && len(m.CapabilityDescriptors) == 0 {
		return r, nil
	}
	partial := m.MultiplexCapability == nil && before != nil && !before.empty()
	if partial {
		r.multiplex, r.descriptors = before.multiplex, before.descriptors
		for n, c := range before.table {
			r.table[n] = c
		}
	}
	for i := range m.CapabilityTable {
		e := &m.CapabilityTable[i]
		if e.Capability == nil {
			delete(r.table, e.CapabilityTableEntryNumber)
			continue
		}
		if len(r.table) >= maxEntries {
			return nil, &h245.TerminalCapabilitySetRejectCause{
				TableEntryCapacityExceeded: &h245.TerminalCapabilitySetRejectCauseTableEntryCapacityExceeded{
					HighestEntryNumberProcessed: ptr(e.CapabilityTableEntryNumber),
				}}
		}
		r.table[e.CapabilityTableEntryNumber] = e.Capability
	}
	if len(m.CapabilityDescriptors) > 0 {
		if cause := r.readDescriptors(m.CapabilityDescriptors); cause != nil {
			return nil, cause
		}
	}
	if m.MultiplexCapability != nil {
		r.multiplex = m.MultiplexCapability.H2250Capability
	}
	r.read()
	return r, nil
}

// readDescriptors keeps the simultaneous capabilities. References to entries that do not
// exist are dropped; a set in which nothing else is left is rejected.
func (r *remoteSet) readDescriptors(list []h245.CapabilityDescriptor) *h245.TerminalCapabilitySetRejectCause {
	r.descriptors = nil
	referred, known := 0, 0
	for i := range list {
		if len(r.descriptors) >= maxDescriptors {
			break
		}
		var sets [][]uint16
		for _, alternatives := range list[i].SimultaneousCapabilities {
			var kept []uint16
			for _, n := range alternatives {
				referred++
				if _, ok := r.table[n]; ok && known < maxReferences {
					known++
					kept = append(kept, n)
				}
			}
			if len(kept) > 0 {
				sets = append(sets, kept)
			}
		}
		if len(sets) > 0 {
			r.descriptors = append(r.descriptors, sets)
		}
	}
	if referred > 0 && known == 0 {
		return &h245.TerminalCapabilitySetRejectCause{UndefinedTableEntryUsed: true}
	}
	return nil
}

// read interprets the table, in the order of its numbers.
func (r *remoteSet) read() {
	r.packetizations, r.algorithms = map[packetization]uint8{}, map[uint16][]per.OID{}
	r.protecting = map[uint16]uint16{}
	if r.multiplex != nil {
		list := r.multiplex.MediaPacketizationCapability.RTPPayloadType
		for i := range list {
			r.packetizations[readPacketization(&list[i])] = mpi(list[i].PayloadType)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(r.table)) {
		r.readEntry(n, r.table[n])
	}
}

func (r *remoteSet) readEntry(number uint16, c *h245.Capability) {
	var list []entry
	switch {
	case c.ReceiveAudioCapability != nil:
		list = readAudio(c.ReceiveAudioCapability)
	case c.ReceiveAndTransmitAudioCapability != nil:
		list = readAudio(c.ReceiveAndTransmitAudioCapability)
	case c.ReceiveVideoCapability != nil:
		list = readVideo(c.ReceiveVideoCapability)
	case c.ReceiveAndTransmitVideoCapability != nil:
		list = readVideo(c.ReceiveAndTransmitVideoCapability)
	case c.ReceiveDataApplicationCapability != nil:
		list = readData(c.ReceiveDataApplicationCapability)
	case c.ReceiveAndTransmitDataApplicationCapability != nil:
		list = readData(c.ReceiveAndTransmitDataApplicationCapability)
	case c.H235SecurityCapability != nil:
		h := c.H235SecurityCapability
		r.algorithms[h.MediaCapability] = algorithms(&h.EncryptionAuthenticationAndIntegrity)
		r.protecting[number] = h.MediaCapability
	case c.GenericControlCapability != nil:
		r.presents = r.presents || identifier(c.GenericControlCapability) == oidH239Control
	case c.ReceiveUserInputCapability != nil:
		r.signal = r.signal || c.ReceiveUserInputCapability.DTMF
	case c.ReceiveAndTransmitUserInputCapability != nil:
		r.signal = r.signal || c.ReceiveAndTransmitUserInputCapability.DTMF
	case c.ReceiveRTPAudioTelephonyEventCapability != nil:
		r.events = Events{PayloadType: c.ReceiveRTPAudioTelephonyEventCapability.DynamicRTPPayloadType, ClockRate: 8000}
	case c.MaxPendingReplacementFor != nil:
		r.replaces = *c.MaxPendingReplacementFor > 0
	}
	for _, e := range list {
		if len(r.entries) < maxEntries {
			e.number = number
			r.entries = append(r.entries, e)
		}
	}
}

// algorithms lists the OIDs of media encryption.
func algorithms(e *h245.EncryptionAuthenticationAndIntegrity) []per.OID {
	var list []per.OID
	for i := range e.EncryptionCapability {
		if a := e.EncryptionCapability[i].Algorithm; a != nil {
			list = append(list, *a)
		}
	}
	return list
}
