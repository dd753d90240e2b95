package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
)

// Config is what a Directory is made of. DB and Keys are required.
type Config struct {
	DB   *store.DB
	Keys *seal.Keyring
	Log  *zap.Logger
	Now  func() time.Time
	// Every is how often changes of others are looked for; 1 s, of other nodes 250 ms.
	Every time.Duration
}

// Directory is the directory of a deployment, as one node sees it. Safe for
// concurrent use.
type Directory struct {
	Config
	log *zap.Logger

	writing sync.Mutex // changes of this node, one after the other
	syncing sync.Mutex // readers of the database's changes

	mu        sync.RWMutex
	rev       int64 // of the database, up to which everything is here
	endpoints *shelf[Endpoint, *Endpoint]
	byName    map[string]*Endpoint
	meetings  *shelf[Meeting, *Meeting]
	byAlias   map[string]*Meeting
	rules     *shelf[Rule, *Rule]
	trunks    *shelf[Trunk, *Trunk]
	keys      *shelf[Key, *Key]
	byHash    map[string]*Key
	webhooks  *shelf[Webhook, *Webhook]
	watchers  []func(Kind)

	searching sync.Mutex // taken under mu
	haystack  *haystack  // nil: endpoints have changed since
}

// canary is a setting that shows whether the key fits the database.
const canary = "secret-key-check"

// Open reads the whole directory. It fails when the secret key is not the one
// that the database was made with.
func Open(ctx context.Context, c Config) (*Directory, error) {
	if c.DB == nil || c.Keys == nil {
		return nil, errors.New("directory: DB and Keys are needed")
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Every <= 0 {
		c.Every = time.Second
		if c.DB.Shared() {
			c.Every /= 4
		}
	}
	has, err := c.DB.Setting(ctx, canary, c.Keys.Seal(canary, canary))
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	if _, err := c.Keys.Open(has, canary); err != nil {
		return nil, fmt.Errorf("directory: the secret key is not that of this database (%s): %w", c.DB, err)
	}
	d := &Directory{Config: c, log: c.Log.Named("directory"),
		endpoints: newShelf[Endpoint](c.Keys), byName: make(map[string]*Endpoint),
		meetings: newShelf[Meeting](c.Keys), byAlias: make(map[string]*Meeting),
		rules: newShelf[Rule](c.Keys), trunks: newShelf[Trunk](c.Keys),
		keys: newShelf[Key](c.Keys), byHash: make(map[string]*Key),
		webhooks: newShelf[Webhook](c.Keys),
	}
	d.index()
	if err := d.Sync(ctx); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return d, nil
}

// index keeps what things are found by.
func (d *Directory) index() {
	d.endpoints.enter = func(e *Endpoint) {
		for name := range e.called {
			d.byName[name] = e
		}
	}
	d.endpoints.leave = func(e *Endpoint) {
		for name := range e.called {
			if d.byName[name] == e { // it may have another owner already
				delete(d.byName, name)
			}
		}
	}
	d.meetings.enter = func(m *Meeting) { d.byAlias[Fold(m.Alias)] = m }
	d.meetings.leave = func(m *Meeting) {
		if d.byAlias[Fold(m.Alias)] == m {
			delete(d.byAlias, Fold(m.Alias))
		}
	}
	d.keys.enter = func(k *Key) { d.byHash[k.Hash] = k }
	d.keys.leave = func(k *Key) { delete(d.byHash, k.Hash) }
}

// Watch has f called after each change of a kind, whoever made it. f must not
// block; it may look things up.
func (d *Directory) Watch(f func(Kind)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers = append(d.watchers, f)
}

// Run follows the changes of other nodes until ctx ends.
func (d *Directory) Run(ctx context.Context) error {
	tick := time.NewTicker(d.Every)
	defer tick.Stop()
	prune := time.NewTicker(pruneEvery)
	defer prune.Stop()
	failing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			err = d.Sync(ctx)
		case <-prune.C:
			err = d.DB.Prune(ctx, d.Now().Add(-keepDeleted))
		}
		if failed := err != nil && ctx.Err() == nil; failed != failing {
			failing = failed
			if failed {
				d.log.Error("the database does not answer; what is known stays in use", zap.Error(err))
			} else {
				d.log.Info("the database answers again")
			}
		}
	}
}

// Deleted things are remembered long enough for every node that is alive.
const (
	pruneEvery  = time.Hour
	keepDeleted = 7 * 24 * time.Hour
)

// Sync reads what changed in the database.
func (d *Directory) Sync(ctx context.Context) error {
	d.syncing.Lock()
	defer d.syncing.Unlock()
	d.mu.RLock()
	rev := d.rev
	d.mu.RUnlock()
	list, rev, err := d.DB.Since(ctx, rev)
	if err != nil {
		return err
	}
	d.take(list, rev)
	return nil
}

// take shows documents; up to rev nothing is missing then. It needs d.syncing.
func (d *Directory) take(list []store.Document, rev int64) {
	const many = 100
	changed := map[Kind]bool{}
	d.mu.Lock()
	for _, doc := range list {
		if err := d.show(doc, len(list) > many); err != nil {
			d.log.Error("left out", zap.Error(err))
			continue
		}
		changed[Kind(doc.Kind)] = true
	}
	d.endpoints.settle()
	d.meetings.settle()
	d.rules.settle()
	d.trunks.settle()
	d.keys.settle()
	d.webhooks.settle()
	d.rev = max(d.rev, rev)
	if changed[KindEndpoint] {
		d.searching.Lock()
		d.haystack = nil
		d.searching.Unlock()
	}
	watchers := d.watchers
	d.mu.Unlock()
	for kind := range changed {
		for _, f := range watchers {
			f(kind)
		}
	}
}

// show needs d.mu.
func (d *Directory) show(doc store.Document, bulk bool) error {
	switch Kind(doc.Kind) {
	case KindEndpoint:
		return showOn(d.endpoints, doc, bulk)
	case KindMeeting:
		return showOn(d.meetings, doc, bulk)
	case KindRule:
		return showOn(d.rules, doc, bulk)
	case KindTrunk:
		return showOn(d.trunks, doc, bulk)
	case KindKey:
		return showOn(d.keys, doc, bulk)
	case KindWebhook:
		return showOn(d.webhooks, doc, bulk)
	}
	return nil // of a later version
}

func showOn[T any, P pointer[T]](s *shelf[T, P], doc store.Document, bulk bool) error {
	if e, ok := s.byID[doc.ID]; ok && P(e.item).meta().Rev >= doc.Rev {
		return nil // seen
	}
	if doc.Body == "" {
		s.drop(doc.ID, bulk)
		return nil
	}
	item, err := s.decode(doc)
	if err != nil {
		return err
	}
	s.put(item, bulk)
	return nil
}

// newID makes an ID; later ones sort behind.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	return strings.ReplaceAll(id.String(), "-", "")
}
