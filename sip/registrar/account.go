package registrar

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

// List is Accounts from the configuration; it can be replaced while in use.
// It is also digest.Credentials.
type List struct{}

// NewList makes a List. Two accounts with one name are an error.
func NewList(accounts []Account) (*List, error) { return &List{}, nil }

// Replace takes new accounts, or none of them on an error.
func (l *List) Replace(accounts []Account) error { return nil }

// Account implements Accounts.
func (l *List) Account(username string) (Account, bool) { return Account{}, false }

// ByAlias implements Accounts.
func (l *List) ByAlias(alias string) (Account, bool) { return Account{}, false }

// Lookup implements digest.Credentials.
func (l *List) Lookup(username string) (password string, ok bool) { return "", false }
