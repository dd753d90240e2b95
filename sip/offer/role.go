package offer

import (
	"slices"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// noRole marks an m-line that is neither sound nor picture.
const noRole = media.Role(0xff)

// roles says for every m-line what it is for. The first video line is the main
// one unless it says slides; a second one without a word is content when the
// session has floor control, and otherwise another version of the first.
func (d *Description) roles(previous *State) []media.Role {
	list := make([]media.Role, len(d.Sections))
	labels := d.floorLabels()
	var main *Section
	for i := range d.Sections {
		s := &d.Sections[i]
		switch {
		case s.is("audio"):
			list[i] = media.Audio
		case s.isCamera():
			list[i] = media.Camera
		case !s.is("video"):
			list[i] = noRole
		default:
			list[i] = videoRole(s, previous.role(i), main, labels)
		}
		if list[i] == media.Main && main == nil && s.Port > 0 {
			main = s
		}
	}
	return list
}

// videoRole: labels are nil without floor control.
func videoRole(s *Section, before media.Role, main *Section, labels []string) media.Role {
	switch {
	case before == media.Main && main == nil:
		return media.Main // even when the camera was replaced by slides
	case slices.Contains(contentWords(s.Content), "slides"):
		return media.Content
	case s.Content != "":
		return media.Main
	case s.Label != "" && slices.Contains(labels, s.Label) && main != nil:
		return media.Content
	case before != noRole:
		return before
	case main == nil || labels == nil || isSecure(s.Profile) != isSecure(main.Profile):
		return media.Main
	}
	return media.Content
}

// contentWords are the values of a=content (RFC 4796 §5).
func contentWords(value string) []string {
	words := strings.Split(value, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return words
}

// floorLabels are the labels under floor control; nil when there is none.
func (d *Description) floorLabels() []string {
	var labels []string
	for _, a := range d.applications() {
		if a.BFCP == nil || a.Address.Port() == 0 {
			continue
		}
		labels = append(labels, "")
		for _, f := range a.BFCP.Floors {
			labels = append(labels, f.Labels...)
		}
	}
	return labels
}
