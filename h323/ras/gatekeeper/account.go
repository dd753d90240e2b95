package gatekeeper

import "github.com/roomgate/roomgate/h323/ras"

// List is Accounts of a configuration.
type List struct{ byName map[string]Account }

// NewList makes a List; of two accounts with one name the first has it.
func NewList(accounts []Account) *List {
	l := &List{byName: make(map[string]Account)}
	for _, names := range []func(Account) []string{
		func(a Account) []string { return []string{a.Username} },
		func(a Account) []string { return a.Aliases },
	} {
		for _, a := range accounts {
			for _, name := range names(a) {
				if key := ras.TextKey(name); key != "" && l.byName[key].Username == "" {
					l.byName[key] = a
				}
			}
		}
	}
	return l
}

// Account implements Accounts.
func (l *List) Account(name string) (Account, bool) {
	a, ok := l.byName[ras.TextKey(name)]
	return a, ok
}
