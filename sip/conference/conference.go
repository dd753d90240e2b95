// Package conference writes the roster of a meeting as the event package of
// conferences has it (RFC 4575): whole for who has just subscribed, then what changed.
//
//	conference-info entity state version
//	  conference-description  display-text, maximum-user-count
//	  conference-state        user-count, active, locked
//	  users
//	    user entity state     display-text, roles
//	      endpoint entity     status, joining-method, media id: type, status
package conference

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
)

// ContentType of the documents.
const ContentType = "application/conference-info+xml"

// Package is the name of the event package.
const Package = "conference"

// Meeting is what a document tells.
type Meeting struct {
	Entity string // URI
	Name   string
	Most   int // users; 0 = any
	Locked bool
	Users  []User // in the order they came
}

// User is somebody in it.
type User struct {
	Entity string // URI, unique
	Name   string
	Host   bool
	Status Status
	Called bool // was called into the meeting, did not call
	Media  []Medium
}

// Status of a user (RFC 4575 §5.7.1).
type Status string

// Statuses.
const (
	Connected Status = "connected"
	OnHold    Status = "on-hold"
	Alerting  Status = "alerting"
)

// Medium is one stream of a user, as they see it.
type Medium struct {
	ID        int
	Type      string // audio, video
	Direction string // sendrecv, sendonly, recvonly, inactive
	Content   bool   // a shared screen
}

type (
	document struct {
		XMLName xml.Name     `xml:"urn:ietf:params:xml:ns:conference-info conference-info"`
		Entity  string       `xml:"entity,attr"`
		State   string       `xml:"state,attr"`
		Version uint32       `xml:"version,attr"`
		About   *description `xml:"conference-description"`
		Stands  standing     `xml:"conference-state"`
		Users   *users       `xml:"users"`
	}
	description struct {
		Name string `xml:"display-text,omitempty"`
		Most int    `xml:"maximum-user-count,omitempty"`
	}
	standing struct {
		Count  int  `xml:"user-count"`
		Active bool `xml:"active"`
		Locked bool `xml:"locked"`
	}
	users struct {
		State string `xml:"state,attr,omitempty"`
		List  []user `xml:"user"`
	}
	user struct {
		Entity   string    `xml:"entity,attr"`
		State    string    `xml:"state,attr"`
		Name     string    `xml:"display-text,omitempty"`
		Roles    *roles    `xml:"roles"`
		Endpoint *endpoint `xml:"endpoint"`
	}
	roles struct {
		Entry string `xml:"entry"`
	}
	endpoint struct {
		Entity string   `xml:"entity,attr"`
		Status Status   `xml:"status"`
		Joined string   `xml:"joining-method"`
		Media  []stream `xml:"media"`
	}
	stream struct {
		ID     int    `xml:"id,attr"`
		Name   string `xml:"display-text,omitempty"`
		Type   string `xml:"type"`
		Status string `xml:"status"`
	}
)

// Full is the whole of a meeting.
func Full(m *Meeting, version uint32) ([]byte, error) {
	d := head(m, "full", version)
	d.About = &description{m.Name, m.Most}
	d.Users = &users{}
	for i := range m.Users {
		d.Users.List = append(d.Users.List, whole(&m.Users[i]))
	}
	return write(d)
}

// Changed is what is different after from before; nil when nothing is.
func Changed(before, after *Meeting, version uint32) ([]byte, error) {
	d := head(after, "partial", version)
	list := &users{State: "partial"}
	for i := range after.Users {
		u := &after.Users[i]
		if was := find(before, u.Entity); was == nil || !reflect.DeepEqual(*was, *u) {
			list.List = append(list.List, whole(u))
		}
	}
	for i := range before.Users {
		if entity := before.Users[i].Entity; find(after, entity) == nil {
			list.List = append(list.List, user{Entity: entity, State: "deleted"})
		}
	}
	if about := (description{after.Name, after.Most}); about != (description{before.Name, before.Most}) {
		d.About = &about
	}
	if len(list.List) > 0 {
		d.Users = list
	}
	if d.Users == nil && d.About == nil && before.Locked == after.Locked {
		return nil, nil
	}
	return write(d)
}

func find(m *Meeting, entity string) *User {
	if i := slices.IndexFunc(m.Users, func(u User) bool { return u.Entity == entity }); i >= 0 {
		return &m.Users[i]
	}
	return nil
}

func head(m *Meeting, state string, version uint32) *document {
	return &document{
		Entity: m.Entity, State: state, Version: version,
		Stands: standing{len(m.Users), len(m.Users) > 0, m.Locked},
	}
}

func whole(u *User) user {
	role, joined := "participant", "dialed-in"
	if u.Host {
		role = "moderator"
	}
	if u.Called {
		joined = "dialed-out"
	}
	e := &endpoint{Entity: u.Entity, Status: u.Status, Joined: joined}
	for _, m := range u.Media {
		s := stream{ID: m.ID, Type: m.Type, Status: m.Direction}
		if m.Content {
			s.Name = "slides"
		}
		e.Media = append(e.Media, s)
	}
	return user{Entity: u.Entity, State: "full", Name: u.Name, Roles: &roles{role}, Endpoint: e}
}

func write(d *document) ([]byte, error) {
	body, err := xml.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("conference document: %w", err)
	}
	return append([]byte(xml.Header), body...), nil
}
