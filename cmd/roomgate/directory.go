package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
	"github.com/roomgate/roomgate/sip/registrar"
)

// Files of the data directory.
const (
	databaseFile = "roomgate.db"
	secretFile   = "secret.key"
)

// databaseURL is where the directory is kept.
func databaseURL(c *config.Config) string {
	return cmp.Or(c.Database.URL, filepath.Join(c.DataDir, databaseFile))
}

// secretKeys open the passwords in the database.
func secretKeys(c *config.Config) (*seal.Keyring, error) {
	if c.SecretKey == "" {
		return seal.File(filepath.Join(c.DataDir, secretFile))
	}
	keys, err := seal.Parse(c.SecretKey)
	if err != nil {
		return nil, fmt.Errorf("secret_key: %w", err)
	}
	return keys, nil
}

// openDirectory opens the database and reads the directory. The database is to
// be closed.
func openDirectory(ctx context.Context, c *config.Config, log *zap.Logger) (*directory.Directory, error) {
	keys, err := secretKeys(c)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, databaseURL(c))
	if err != nil {
		return nil, err
	}
	d, err := directory.Open(ctx, directory.Config{DB: db, Keys: keys, Log: log})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// checkDatabase looks whether the database answers and whether this program can
// use its tables. It changes nothing.
func checkDatabase(ctx context.Context, c *config.Config) finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	state, err := store.Probe(ctx, databaseURL(c))
	if err != nil {
		return finding{"database", bad, err.Error()}
	}
	return finding{"database", good, state}
}

// checkSecretKey reads the key of the passwords, if there is one already.
func checkSecretKey(c *config.Config) finding {
	file := filepath.Join(c.DataDir, secretFile)
	if c.SecretKey == "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return finding{"secret_key", good, file + " will be made: keep a copy of it"}
		}
	}
	if _, err := secretKeys(c); err != nil {
		return finding{"secret_key", bad, err.Error()}
	}
	if c.SecretKey == "" {
		return finding{"secret_key", good, file}
	}
	return finding{"secret_key", good, "of the configuration"}
}

// sipDirectory gives the endpoints of the directory the shape of the
// registrar's accounts.
type sipDirectory struct{ *node }

var _ registrar.Accounts = sipDirectory{}

// Account implements registrar.Accounts.
func (d sipDirectory) Account(username string) (registrar.Account, bool) {
	e, ok := d.directory.ByUsername(username)
	if !ok {
		return registrar.Account{}, false
	}
	return d.account(e)
}

// ByAlias implements registrar.Accounts.
func (d sipDirectory) ByAlias(alias string) (registrar.Account, bool) {
	e, ok := d.directory.ByAlias(alias)
	if !ok {
		return registrar.Account{}, false
	}
	return d.account(e)
}

func (d sipDirectory) account(e directory.Endpoint) (registrar.Account, bool) {
	password, ok := d.passwordOf(e)
	a := registrar.Account{Username: e.Username, Password: password, Name: e.Name}
	for _, alias := range e.Aliases {
		a.Aliases = append(a.Aliases, alias.Value)
	}
	return a, ok
}

// passwordOf opens the password of an endpoint. One that cannot be opened must
// not become an empty one, which anybody knows.
func (n *node) passwordOf(e directory.Endpoint) (string, bool) {
	password, err := n.directory.Password(e)
	if err != nil {
		n.log.Error("a password cannot be opened", zap.String("endpoint", e.Name), zap.Error(err))
		return "", false
	}
	return password, true
}

// zoneAccounts are the gatekeeper's accounts: those of the configuration, then
// those of the directory.
type zoneAccounts struct {
	list *gatekeeper.List
	node *node
}

var _ gatekeeper.Accounts = zoneAccounts{}

// Account implements gatekeeper.Accounts.
func (z zoneAccounts) Account(name string) (gatekeeper.Account, bool) {
	if a, ok := z.list.Account(name); ok {
		return a, true
	}
	e, ok := z.node.directory.ByAlias(name)
	if !ok || e.Username == "" {
		return gatekeeper.Account{}, false // without a user name there is no password to know
	}
	password, ok := z.node.passwordOf(e)
	a := gatekeeper.Account{Username: e.Username, Password: password}
	for _, alias := range e.Aliases {
		a.Aliases = append(a.Aliases, alias.Value)
	}
	return a, ok
}

// zoneAccounts puts the directory behind accounts of the configuration.
func (n *node) zoneAccounts(list *gatekeeper.List) gatekeeper.Accounts {
	return zoneAccounts{list, n}
}
