package directory

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/directory/store"
)

// Meeting is a meeting that stays until it is deleted.
type Meeting struct {
	Meta
	Alias      string `json:"alias"`
	Name       string `json:"name,omitempty"`
	Agency     string `json:"agency,omitempty"`
	Layout     string `json:"layout,omitempty"`
	MaxLegs    int    `json:"max_legs,omitempty"`
	Encryption string `json:"encryption,omitempty"`
	Presenting string `json:"presenting,omitempty"` // who may share a screen
	// Lobby lets hosts decide about every guest, WaitForHost lets guests in once a
	// host is there, Locked lets no guest in.
	Lobby       bool `json:"lobby,omitempty"`
	WaitForHost bool `json:"wait_for_host,omitempty"`
	Locked      bool `json:"locked,omitempty"`
	JoinMuted   bool `json:"join_muted,omitempty"` // guests
	// MaxDuration and RoomsOnly end it so long after it began, and after the last
	// browser left; nanoseconds, 0 = never.
	MaxDuration time.Duration `json:"max_duration,omitempty"`
	RoomsOnly   time.Duration `json:"rooms_only,omitempty"`
	// Bandwidth of each call in kbit/s, sound included, and how long one lasts at
	// most; 0 = no limit.
	Bandwidth int           `json:"bandwidth,omitempty"`
	LegLast   time.Duration `json:"leg_last,omitempty"`
	// HostPIN and GuestPIN are kept sealed.
	HostPIN     string `json:"-"`
	GuestPIN    string `json:"-"`
	HostSealed  string `json:"host_pin,omitempty"`
	GuestSealed string `json:"guest_pin,omitempty"`
	// Starts, Ends, Repeats (an RRULE of RFC 5545) and Zone (of IANA) say when it is
	// held; zero: at any time.
	Starts  time.Time `json:"starts,omitzero"`
	Ends    time.Time `json:"ends,omitzero"`
	Repeats string    `json:"repeats,omitempty"`
	Zone    string    `json:"zone,omitempty"`
	// Extended is the time that is held now, with a later end than was planned.
	Extended calendar.Occurrence `json:"extended,omitzero"`
	// Invitees are called when it starts.
	Invitees []Invitee `json:"invitees,omitempty"`
}

// Invitee is somebody whom a meeting calls when it starts.
type Invitee struct {
	Target string `json:"target"`           // sip:, h323:, tel: or an alias
	Name   string `json:"name,omitempty"`   // shown in the meeting
	Digits string `json:"digits,omitempty"` // sent after the answer
}

// MostInvitees bounds those of a meeting.
const MostInvitees = 500

// Plan is when the meeting is held.
func (m *Meeting) Plan() calendar.Plan {
	return calendar.Plan{Starts: m.Starts, Ends: m.Ends, Repeats: m.Repeats, Zone: m.Zone}
}

// IsMeetingAlias bounds what may become a room of the SFU (256 octets) and a path
// segment of the meeting page: up to 64 letters and digits, and some marks after the first.
func IsMeetingAlias(alias string) bool {
	n := 0
	for _, r := range alias {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && (n == 0 || !strings.ContainsRune("._+@-", r)) {
			return false
		}
		n++
	}
	return n >= 1 && n <= 64
}

var pin = regexp.MustCompile(`^[0-9]{0,16}$`)

func (m *Meeting) kind() Kind    { return KindMeeting }
func (m *Meeting) order() string { return m.Alias }
func (m *Meeting) tidy()         { m.Name, m.Agency = strings.TrimSpace(m.Name), strings.TrimSpace(m.Agency) }

func (m *Meeting) names() []store.Name {
	return []store.Name{{Space: string(KindMeeting), Name: Fold(m.Alias)}}
}

func (m *Meeting) secrets() []secret {
	return []secret{
		{name: "host_pin", plain: &m.HostPIN, sealed: &m.HostSealed, open: true},
		{name: "guest_pin", plain: &m.GuestPIN, sealed: &m.GuestSealed, open: true},
	}
}

func (m *Meeting) check() error {
	if !IsMeetingAlias(m.Alias) {
		return bad("alias", "%q cannot be an alias", m.Alias)
	}
	for field, value := range map[string]string{"host_pin": m.HostPIN, "guest_pin": m.GuestPIN} {
		if !pin.MatchString(value) {
			return bad(field, "is not of up to 16 digits")
		}
	}
	switch {
	case m.Layout != "" && !slices.Contains(Layouts, m.Layout):
		return bad("layout", "%q is none of %s", m.Layout, strings.Join(Layouts, ", "))
	case m.Bandwidth != 0 && (m.Bandwidth < LeastRate || m.Bandwidth > MostRate):
		return bad("bandwidth", "%d is not between %d and %d kbit/s", m.Bandwidth, LeastRate, MostRate)
	case m.MaxLegs < 0:
		return bad("max_legs", "%d is below zero", m.MaxLegs)
	case len(m.Invitees) > MostInvitees:
		return bad("invitees", "are more than %d", MostInvitees)
	case len(m.Invitees) > 0 && m.Starts.IsZero():
		return bad("invitees", "are called when the meeting starts, and it has no start")
	}
	if err := m.checkPlan(); err != nil {
		return err
	}
	return firstError(text("name", m.Name, maxNameLen), text("agency", m.Agency, maxShortLen))
}

// checkPlan checks when the meeting is held and whom it calls then.
func (m *Meeting) checkPlan() error {
	switch err := m.Plan().Check(); {
	case errors.Is(err, calendar.ErrTimes):
		return bad("ends", "%s", err)
	case errors.Is(err, calendar.ErrZone):
		return bad("zone", "%q %s", m.Zone, err)
	case err != nil:
		return bad("repeats", "%q: %s", m.Repeats, err)
	}
	seen := map[string]bool{}
	for i, v := range m.Invitees {
		key := Fold(v.Target)
		switch {
		case strings.TrimSpace(v.Target) == "":
			return bad(indexed("invitees", i), "has no target")
		case seen[key]:
			return bad(indexed("invitees", i), "%q is invited already", v.Target)
		case !ParseDigits(v.Digits):
			return bad(indexed("invitees", i), "digits are 0-9, *, #, A-D and the comma")
		}
		seen[key] = true
		if err := firstError(text(indexed("invitees", i), v.Target, maxTargetLen), text(indexed("invitees", i), v.Name, maxNameLen)); err != nil {
			return err
		}
	}
	return nil
}

// maxTargetLen bounds what is called.
const maxTargetLen = 500

// Meeting finds a meeting by its alias, capitals aside.
func (d *Directory) Meeting(alias string) (Meeting, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	m, ok := d.byAlias[Fold(alias)]
	if !ok {
		return Meeting{}, false
	}
	return *m, true
}

// Meetings lists all, by alias.
func (d *Directory) Meetings() []Meeting { return all(d, d.meetings) }

// SaveMeeting keeps a meeting, new (without an ID) or changed.
func (d *Directory) SaveMeeting(ctx context.Context, m Meeting) (Meeting, error) {
	return first(save(ctx, d, d.meetings, []Meeting{m}))
}

// DeleteMeeting forgets a meeting.
func (d *Directory) DeleteMeeting(ctx context.Context, alias string) error {
	m, ok := d.Meeting(alias)
	if !ok {
		return ErrNotFound
	}
	return remove(ctx, d, d.meetings, m.ID, 0)
}

// first is the one thing that was saved.
func first[T any](list []T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return list[0], nil
}
