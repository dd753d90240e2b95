package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/directory/store"
)

// Key lets a program use the API. Of the key itself only a hash is kept: keys
// are random and long, so that one round of SHA-256 is enough.
type Key struct {
	Meta
	Name   string  `json:"name"`
	Hash   string  `json:"hash"`
	Scopes []Scope `json:"scopes"`
	// Agency limits the key to what belongs to one agency; "" = no limit.
	Agency  string    `json:"agency,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// Scope is a part of the API.
type Scope string

// Scopes. Admin is everything, keys included.
const (
	ScopeAdmin     Scope = "admin"
	ScopeRead      Scope = "read"      // everything but secrets
	ScopeDirectory Scope = "directory" // change endpoints
	ScopePlan      Scope = "plan"      // change dial rules and trunks
	ScopeMeetings  Scope = "meetings"  // make and end meetings, change who is in them
	ScopeCalls     Scope = "calls"     // place and end calls
)

// Scopes lists all.
var Scopes = []Scope{ScopeAdmin, ScopeRead, ScopeDirectory, ScopePlan, ScopeMeetings, ScopeCalls}

// May reports whether the key reaches so far. Who may change something may read it.
func (k *Key) May(s Scope) bool {
	return slices.Contains(k.Scopes, ScopeAdmin) || slices.Contains(k.Scopes, s) || s == ScopeRead && len(k.Scopes) > 0
}

func (k *Key) kind() Kind        { return KindKey }
func (k *Key) order() string     { return k.Name }
func (k *Key) secrets() []secret { return nil }
func (k *Key) tidy()             { k.Name, k.Agency = strings.TrimSpace(k.Name), strings.TrimSpace(k.Agency) }

func (k *Key) names() []store.Name {
	return []store.Name{{Space: string(KindKey), Name: k.Hash}}
}

func (k *Key) check() error {
	switch {
	case k.Name == "":
		return bad("name", "is missing")
	case k.Hash == "":
		return bad("hash", "is missing")
	case len(k.Scopes) == 0:
		return bad("scopes", "are missing")
	case k.Agency != "" && (slices.Contains(k.Scopes, ScopeAdmin) || slices.Contains(k.Scopes, ScopePlan)):
		return bad("agency", "a key of one agency cannot have the scopes admin and plan, which reach beyond it")
	}
	for i, s := range k.Scopes {
		if !slices.Contains(Scopes, s) {
			return bad(indexed("scopes", i), "%q is not a scope", s)
		}
	}
	return firstError(text("name", k.Name, maxShortLen), text("agency", k.Agency, maxShortLen))
}

// HashKey is what is kept of a key.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// KeyOf finds who a key belongs to; expired keys belong to nobody. The hash is
// what is looked up, so that the time it takes says nothing about the key.
func (d *Directory) KeyOf(key string) (Key, bool) {
	hash := HashKey(key)
	d.mu.RLock()
	defer d.mu.RUnlock()
	k, ok := d.byHash[hash]
	if !ok || !k.Expires.IsZero() && !k.Expires.After(d.Now()) {
		return Key{}, false
	}
	return *k, true
}

// APIKeys lists all keys by name.
func (d *Directory) APIKeys() []Key { return all(d, d.keys) }

// APIKey finds a key by its ID.
func (d *Directory) APIKey(id string) (Key, error) { return one(d, d.keys, id) }

// SaveKey keeps a key, new (without an ID) or changed.
func (d *Directory) SaveKey(ctx context.Context, k Key) (Key, error) {
	return first(save(ctx, d, d.keys, []Key{k}))
}

// DeleteKey makes a key useless.
func (d *Directory) DeleteKey(ctx context.Context, id string) error {
	return remove(ctx, d, d.keys, id, 0)
}
