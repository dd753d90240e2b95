// Package code keeps codes that let somebody into a meeting once, and for a time: they
// are dialled behind the meeting's alias (88001*47110815), keyed where a PIN is asked
// for, or typed into the page. Of several who use one at the same moment, at whichever
// nodes, one comes in.
package code

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roomgate/roomgate/directory/store"
)

// Digits is how long codes are: short enough to be keyed, and too many to be guessed at
// ten a minute.
const Digits = 8

// Bounds of how long a code is good.
const (
	Shortest = time.Minute
	Longest  = 90 * 24 * time.Hour
)

// keep is how long codes are listed that are not good any more.
const keep = 7 * 24 * time.Hour

// Errors of Book.
var (
	ErrNotFound = errors.New("no such code")
	ErrLifetime = errors.New("a code is good for a minute at least and 90 days at most")
)

// Code is a code without its digits, which nobody keeps.
type Code struct {
	ID      string
	Meeting string // ID
	Role    string // host, guest
	Name    string // for whom; "" = nobody has said
	Created time.Time
	Expires time.Time
	Used    time.Time // zero: not yet
}

// Book is the codes of a database. Safe for concurrent use.
type Book struct {
	DB  *store.DB
	Now func() time.Time // nil: time.Now
}

func (b *Book) now() time.Time {
	if b.Now == nil {
		return time.Now()
	}
	return b.Now()
}

// hash is what is kept of the digits. Whoever reads the database can find them out, as
// there are few; they are good for a while only, and once.
func hash(meeting, digits string) string {
	sum := sha256.Sum256([]byte(meeting + "*" + digits))
	return hex.EncodeToString(sum[:])
}

const columns = `id, meeting, hash, role, name, created, expires, used, used_by`

// Make makes a code and tells its digits, this once. Digits that taken reports are
// those of a PIN, and not given out.
func (b *Book) Make(ctx context.Context, c Code, taken func(digits string) bool) (Code, string, error) {
	now := b.now().UTC().Truncate(time.Microsecond)
	if life := c.Expires.Sub(now); life < Shortest || life > Longest {
		return Code{}, "", ErrLifetime
	}
	c.ID, c.Created, c.Used = strings.ReplaceAll(uuid.NewString(), "-", ""), now, time.Time{}
	var digits string
	err := b.DB.Write(ctx, func(t *store.Tx) error {
		if _, err := t.Exec(ctx, `DELETE FROM codes WHERE expires < $1`, store.Micros(now.Add(-keep))); err != nil {
			return err
		}
		for {
			var err error
			if digits, err = random(); err != nil {
				return err
			}
			if taken != nil && taken(digits) {
				continue
			}
			rows, err := t.Exec(ctx, `INSERT INTO codes (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '') ON CONFLICT (meeting, hash) DO NOTHING`,
				c.ID, c.Meeting, hash(c.Meeting, digits), c.Role, c.Name, store.Micros(c.Created), store.Micros(c.Expires))
			if err != nil || rows > 0 {
				return err
			}
		}
	})
	if err != nil {
		return Code{}, "", err
	}
	return c, digits, nil
}

var most = new(big.Int).Exp(big.NewInt(10), big.NewInt(Digits), nil)

func random() (string, error) {
	n, err := rand.Int(rand.Reader, most)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", Digits, n), nil
}

// Look tells the role that a code gives, without using it up; "": it is not good.
func (b *Book) Look(ctx context.Context, meeting, digits string) (role string, err error) {
	if !formed(digits) {
		return "", nil
	}
	rows, err := b.DB.Query(ctx, `SELECT role FROM codes WHERE meeting = $1 AND hash = $2 AND used = 0 AND expires > $3`,
		meeting, hash(meeting, digits), store.Micros(b.now()))
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&role); err != nil {
			return "", err
		}
	}
	return role, rows.Err()
}

// Use uses a code up and tells the role that it gives; "": it is not good, or somebody
// was faster. by names who uses it.
func (b *Book) Use(ctx context.Context, meeting, digits, by string) (role string, err error) {
	role, err = b.Look(ctx, meeting, digits) // whoever guesses shall not keep the database writing
	if err != nil || role == "" {
		return "", err
	}
	used := false
	err = b.DB.Write(ctx, func(t *store.Tx) error {
		now := store.Micros(b.now())
		rows, err := t.Exec(ctx, `UPDATE codes SET used = $3, used_by = $4 WHERE meeting = $1 AND hash = $2 AND used = 0 AND expires > $3`,
			meeting, hash(meeting, digits), now, by)
		used = rows > 0
		return err
	})
	if err != nil || !used {
		return "", err
	}
	return role, nil
}

// Return gives a code back that let nobody in, to whom it was used by.
func (b *Book) Return(ctx context.Context, meeting, digits, by string) error {
	return b.DB.Write(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `UPDATE codes SET used = 0, used_by = '' WHERE meeting = $1 AND hash = $2 AND used_by = $3`,
			meeting, hash(meeting, digits), by)
		return err
	})
}

// Of lists the codes of a meeting, the latest first.
func (b *Book) Of(ctx context.Context, meeting string) (list []Code, err error) {
	rows, err := b.DB.Query(ctx, `SELECT id, meeting, role, name, created, expires, used FROM codes WHERE meeting = $1 ORDER BY created DESC, id`, meeting)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Code
		var created, expires, used int64
		if err := rows.Scan(&c.ID, &c.Meeting, &c.Role, &c.Name, &created, &expires, &used); err != nil {
			return nil, err
		}
		c.Created, c.Expires, c.Used = store.Time(created), store.Time(expires), store.Time(used)
		list = append(list, c)
	}
	return list, rows.Err()
}

// Delete makes a code useless.
func (b *Book) Delete(ctx context.Context, meeting, id string) error {
	var rows int64
	err := b.DB.Write(ctx, func(t *store.Tx) (err error) {
		rows, err = t.Exec(ctx, `DELETE FROM codes WHERE meeting = $1 AND id = $2`, meeting, id)
		return err
	})
	if err == nil && rows == 0 {
		return ErrNotFound
	}
	return err
}

// formed reports what may be a code at all.
func formed(digits string) bool {
	return len(digits) == Digits && strings.Trim(digits, "0123456789") == ""
}
