// Package record keeps call records: one for each leg, written when the call
// begins, again while it goes on, and closed when it ends. Those of a node that
// died are closed when it is back, or by another node.
package record

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/store"
)

// Record is what is kept of one leg.
type Record struct {
	ID        string
	Node      string
	Meeting   string
	Agency    string // of the endpoint, else of the meeting
	Endpoint  string // ID in the directory, "" when it is not there
	Protocol  call.Protocol
	Direction call.Direction
	Called    string

	RemoteAlias, RemoteName, RemoteURI, RemoteAddress string

	Product    string
	Trunk      string
	Encryption string

	Started  time.Time
	Answered time.Time // zero: it was not
	Ended    time.Time // zero: it goes on
	Updated  time.Time // the latest that is known
	Cause    call.CauseCode
	Text     string // beside the cause
	Media    []Medium
}

// Medium is one direction of one medium.
type Medium struct {
	Kind      string  `json:"kind"`      // audio, video, content
	Direction string  `json:"direction"` // recv, send, as the gateway sees it
	Codec     string  `json:"codec"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	Packets   uint64  `json:"packets"`
	Bytes     uint64  `json:"bytes"`
	Lost      uint64  `json:"lost"`
	JitterMS  float64 `json:"jitter_ms"`
	RTTMS     float64 `json:"rtt_ms,omitempty"`
}

// Duration is from the answer to the end, or to what is known; zero when it was
// not answered.
func (r *Record) Duration() time.Duration {
	if r.Answered.IsZero() {
		return 0
	}
	end := r.Ended
	if end.IsZero() {
		end = r.Updated
	}
	return max(end.Sub(r.Answered), 0)
}

const columns = `id, node, meeting, agency, endpoint, protocol, direction, called, remote_alias, remote_name, remote_uri, remote_address,
	product, trunk, encryption, started, answered, ended, updated, cause, cause_text, media`

// A record that was closed stays closed.
const put = `INSERT INTO records (` + columns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
	ON CONFLICT (id) DO UPDATE SET meeting = excluded.meeting, agency = excluded.agency, endpoint = excluded.endpoint,
		remote_alias = excluded.remote_alias, remote_name = excluded.remote_name, product = excluded.product, encryption = excluded.encryption,
		answered = excluded.answered, ended = excluded.ended, updated = excluded.updated,
		cause = excluded.cause, cause_text = excluded.cause_text, media = excluded.media
	WHERE records.ended = 0`

// Save writes records.
func Save(ctx context.Context, db *store.DB, list []Record) error {
	// What is closed is on the disk when it is said to be; what goes on is written
	// again.
	write := db.WriteSoon
	for _, r := range list {
		if !r.Ended.IsZero() {
			write = db.Write
		}
	}
	return write(ctx, func(t *store.Tx) error {
		for i := range list {
			r := &list[i]
			media, err := json.Marshal(r.Media)
			if err != nil {
				return err
			}
			_, err = t.Exec(ctx, put, r.ID, r.Node, r.Meeting, r.Agency, r.Endpoint, string(r.Protocol), string(r.Direction), r.Called,
				r.RemoteAlias, r.RemoteName, r.RemoteURI, r.RemoteAddress, r.Product, r.Trunk, r.Encryption,
				store.Micros(r.Started), store.Micros(r.Answered), store.Micros(r.Ended), store.Micros(r.Updated), string(r.Cause), r.Text, string(media))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// lostText explains the end of a record whose node died.
const lostText = "the gateway stopped during the call"

// Close closes the records that a node left open when it died, at the moment
// that is last known of them.
func Close(ctx context.Context, db *store.DB, node string) (closed int64, err error) {
	err = db.Write(ctx, func(t *store.Tx) error {
		closed, err = t.Exec(ctx, `UPDATE records SET ended = updated, cause = $2, cause_text = $3 WHERE node = $1 AND ended = 0`,
			node, string(call.Failure), lostText)
		return err
	})
	return closed, err
}

// Query says which records. The zero value is all.
type Query struct {
	From, To time.Time // of the start; To is not included
	Agency   string
	Meeting  string
	Endpoint string
	Open     bool // only what goes on
	Limit    int  // 0 = 1000
	Cursor   string
}

// ErrCursor: a cursor is none that was given out.
var ErrCursor = errors.New("the cursor is none that was given out")

// List gives records, the latest first.
func List(ctx context.Context, db *store.DB, q Query) (list []Record, next string, err error) {
	where, args, err := q.where()
	if err != nil {
		return nil, "", err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 1000
	}
	rows, err := db.Query(ctx, fmt.Sprintf(`SELECT %s FROM records%s ORDER BY started DESC, id DESC LIMIT %d`, columns, where, limit+1), args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for rows.Next() {
		if len(list) == limit {
			last := list[len(list)-1]
			next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", store.Micros(last.Started), last.ID))
			break
		}
		r, err := scan(rows)
		if err != nil {
			return nil, "", err
		}
		list = append(list, r)
	}
	return list, next, rows.Err()
}

// where builds the condition.
func (q Query) where() (string, []any, error) {
	var conditions []string
	var args []any
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		conditions = append(conditions, condition)
	}
	if !q.From.IsZero() {
		add("started >= ?", store.Micros(q.From))
	}
	if !q.To.IsZero() {
		add("started < ?", store.Micros(q.To))
	}
	for column, value := range map[string]string{"agency": q.Agency, "meeting": q.Meeting, "endpoint": q.Endpoint} {
		if value != "" {
			add(column+" = ?", value)
		}
	}
	if q.Open {
		add("ended = 0")
	}
	if q.Cursor != "" {
		var started int64
		var id string
		text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil {
			return "", nil, ErrCursor
		}
		if n, err := fmt.Sscanf(string(text), "%d %s", &started, &id); err != nil || n != 2 {
			return "", nil, ErrCursor
		}
		add("(started < ? OR started = ? AND id < ?)", started, started, id)
	}
	if len(conditions) == 0 {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(conditions, " AND "), args, nil
}

func scan(rows *sql.Rows) (r Record, err error) {
	var protocol, direction, cause, media string
	var started, answered, ended, updated int64
	err = rows.Scan(&r.ID, &r.Node, &r.Meeting, &r.Agency, &r.Endpoint, &protocol, &direction, &r.Called,
		&r.RemoteAlias, &r.RemoteName, &r.RemoteURI, &r.RemoteAddress, &r.Product, &r.Trunk, &r.Encryption,
		&started, &answered, &ended, &updated, &cause, &r.Text, &media)
	if err != nil {
		return r, err
	}
	r.Protocol, r.Direction, r.Cause = call.Protocol(protocol), call.Direction(direction), call.CauseCode(cause)
	r.Started, r.Answered, r.Ended, r.Updated = store.Time(started), store.Time(answered), store.Time(ended), store.Time(updated)
	return r, json.Unmarshal([]byte(media), &r.Media)
}
