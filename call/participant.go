package call

// Participant is how somebody appears in a meeting: the words the meeting side
// and the gateway share.
type Participant struct {
	Identity   string // unique in the meeting, stable for the leg's life
	Name       string
	Kind       ParticipantKind
	Attributes map[string]string
	// Hidden participants (our receivers) never show in rosters.
	Hidden bool
	Tracks []ParticipantTrack
}

// ParticipantKind tells browsers, room terminals and phones apart.
type ParticipantKind string

// Kinds. The kind travels as the participant attribute "roomgate.kind".
const (
	Browser  ParticipantKind = "browser"
	Terminal ParticipantKind = "terminal"
	Phone    ParticipantKind = "phone"
)

// Attribute keys under which legs describe themselves to meeting clients.
const (
	AttrKind     = "roomgate.kind"
	AttrLeg      = "roomgate.leg"      // Info.ID of the leg
	AttrProtocol = "roomgate.protocol" // sip, h323
	AttrRole     = "roomgate.role"     // host, guest
	AttrNumber   = "roomgate.number"   // masked where policy asks

	AttrSpotlight = "roomgate.spotlight" // set on who takes the place of the speaker for all
)

// ParticipantTrack is something a participant publishes.
type ParticipantTrack struct {
	ID            string
	Role          string // audio, video, content (media.Role.String)
	Muted         bool
	Codec         string
	Width, Height int
}

// Role in a meeting.
const (
	RoleHost  = "host"
	RoleGuest = "guest"
)
