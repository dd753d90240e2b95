package client

import (
	"context"
	"io"
	"net/url"
	"time"
)

// Record is what is kept of one call.
type Record struct {
	ID              string     `json:"id"`
	Node            string     `json:"node"`
	Meeting         string     `json:"meeting"`
	Agency          string     `json:"agency"`
	Endpoint        string     `json:"endpoint"`
	Protocol        string     `json:"protocol"`
	Direction       string     `json:"direction"`
	Called          string     `json:"called"`
	RemoteAlias     string     `json:"remote_alias"`
	RemoteName      string     `json:"remote_name"`
	RemoteURI       string     `json:"remote_uri"`
	RemoteAddress   string     `json:"remote_address"`
	Product         string     `json:"product"`
	Trunk           string     `json:"trunk"`
	Encryption      string     `json:"encryption"`
	StartedAt       time.Time  `json:"started_at"`
	AnsweredAt      *time.Time `json:"answered_at"`
	EndedAt         *time.Time `json:"ended_at"` // nil: it goes on
	DurationSeconds int64      `json:"duration_seconds"`
	Cause           string     `json:"cause"`
	CauseText       string     `json:"cause_text"`
	Media           []Medium   `json:"media"`
}

// Medium is the quality of one direction of one medium.
type Medium struct {
	Kind      string  `json:"kind"`      // audio, video, content
	Direction string  `json:"direction"` // recv, send
	Codec     string  `json:"codec"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Packets   uint64  `json:"packets"`
	Bytes     uint64  `json:"bytes"`
	Lost      uint64  `json:"lost"`
	JitterMS  float64 `json:"jitter_ms"`
	RTTMS     float64 `json:"rtt_ms"`
}

// RecordQuery says which records; the zero value is all.
type RecordQuery struct {
	From, To                  time.Time // of the beginning; To is not included
	Agency, Meeting, Endpoint string
}

func (q RecordQuery) values() url.Values {
	v := url.Values{}
	for name, at := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !at.IsZero() {
			v.Set(name, at.Format(time.RFC3339))
		}
	}
	for name, text := range map[string]string{"agency": q.Agency, "meeting": q.Meeting, "endpoint": q.Endpoint} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return v
}

// Records lists call records, the latest first.
func (c *Client) Records(ctx context.Context, q RecordQuery) ([]Record, error) {
	return listWith[Record](ctx, c, "/records", "records", q.values())
}

// RecordsCSV writes call records as a table.
func (c *Client) RecordsCSV(ctx context.Context, q RecordQuery, to io.Writer) error {
	return c.download(ctx, "/records.csv?"+q.values().Encode(), to)
}

// Usage is what one agency used in one period.
type Usage struct {
	Period         string  `json:"period"` // 2026-01, 2026-Q1
	Agency         string  `json:"agency"`
	Calls          int     `json:"calls"`
	Answered       int     `json:"answered"`
	Failed         int     `json:"failed"`
	Meetings       int     `json:"meetings"`
	Minutes        float64 `json:"minutes"`
	LongestMinutes float64 `json:"longest_minutes"`
	SIP            int     `json:"sip"`
	H323           int     `json:"h323"`
}

// Report counts usage by month or quarter ("month", "quarter") and agency.
func (c *Client) Report(ctx context.Context, q RecordQuery, by string) ([]Usage, error) {
	v := q.values()
	v.Set("by", by)
	return listWith[Usage](ctx, c, "/reports", "usage", v)
}
