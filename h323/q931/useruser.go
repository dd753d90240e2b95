package q931

import "fmt"

// X680 is the user-user protocol discriminator of H.225.0: X.680 coded user
// information (Q.931 table 4-26).
const X680 = 5

// UserUser is the user-user element (H.225.0 7.2.2.31).
type UserUser struct {
	Discriminator uint8
	Information   []byte // with X680: H323-UserInformation in PER
}

// Element gives the information element.
func (u UserUser) Element() Element {
	return Element{ID: UserUserID, Data: append([]byte{u.Discriminator}, u.Information...)}
}

// UserUser finds the user-user element of a message.
func (m *Message) UserUser() (UserUser, error) {
	e, ok := m.Get(UserUserID)
	if !ok || len(e.Data) < 2 {
		return UserUser{}, fmt.Errorf("%w: no user-user in %s", ErrElement, m.Type)
	}
	return UserUser{e.Data[0], e.Data[1:]}, nil
}
