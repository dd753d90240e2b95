package registrar

import (
	"fmt"
	"sync/atomic"
)

// Account is a user that may register.
type Account struct {
	Username string // of the digest credentials; also an alias
	Password string
	Aliases  []string // further names it can be called by and register as
	Name     string   // shown to people
}

// Accounts finds accounts. User names and aliases are one name space.
type Accounts interface {
	// Account returns the account of a digest user name.
	Account(username string) (Account, bool)
	// ByAlias returns the account that an alias belongs to.
	ByAlias(alias string) (Account, bool)
}

// Layers are several Accounts; the first that knows a name has it. They are
// digest.Credentials too.
type Layers []Accounts

// Account implements Accounts.
func (l Layers) Account(username string) (Account, bool) {
	for _, accounts := range l {
		if a, ok := accounts.Account(username); ok {
			return a, true
		}
	}
	return Account{}, false
}

// ByAlias implements Accounts.
func (l Layers) ByAlias(alias string) (Account, bool) {
	for _, accounts := range l {
		if a, ok := accounts.ByAlias(alias); ok {
			return a, true
		}
	}
	return Account{}, false
}

// Lookup implements digest.Credentials.
func (l Layers) Lookup(username string) (password string, ok bool) {
	a, ok := l.Account(username)
	return a.Password, ok
}

// List is Accounts from the configuration; it can be replaced while in use.
// It is also digest.Credentials.
type List struct{ names atomic.Pointer[names] }

type names struct {
	users   map[string]Account
	aliases map[string]string // to user names; user names too
}

// NewList makes a List. Two accounts with one name are an error.
func NewList(accounts []Account) (*List, error) {
	l := &List{}
	return l, l.Replace(accounts)
}

// Replace takes new accounts, or none of them on an error.
func (l *List) Replace(accounts []Account) error {
	n := &names{users: make(map[string]Account), aliases: make(map[string]string)}
	for _, a := range accounts {
		if a.Username == "" {
			return fmt.Errorf("account %q has no user name", a.Name)
		}
		for _, alias := range append([]string{a.Username}, a.Aliases...) {
			if owner, taken := n.aliases[alias]; taken && owner != a.Username {
				return fmt.Errorf("%q belongs to account %q and to %q", alias, owner, a.Username)
			}
			n.aliases[alias] = a.Username
		}
		if _, twice := n.users[a.Username]; twice {
			return fmt.Errorf("account %q is there twice", a.Username)
		}
		n.users[a.Username] = a
	}
	l.names.Store(n)
	return nil
}

// Account implements Accounts.
func (l *List) Account(username string) (Account, bool) {
	a, ok := l.names.Load().users[username]
	return a, ok
}

// ByAlias implements Accounts.
func (l *List) ByAlias(alias string) (Account, bool) {
	n := l.names.Load()
	a, ok := n.users[n.aliases[alias]]
	return a, ok
}

// Lookup implements digest.Credentials.
func (l *List) Lookup(username string) (password string, ok bool) {
	a, ok := l.Account(username)
	return a.Password, ok
}
