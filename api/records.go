package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory/record"
)

// Record is what is kept of one call.
type Record struct {
	ID              string     `json:"id"`
	Node            string     `json:"node"`
	Meeting         string     `json:"meeting"`
	Agency          string     `json:"agency"`
	Endpoint        string     `json:"endpoint" doc:"ID in the directory."`
	Protocol        string     `json:"protocol" enum:"sip,h323"`
	Direction       string     `json:"direction" enum:"in,out"`
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
	EndedAt         *time.Time `json:"ended_at" doc:"null: it goes on."`
	DurationSeconds int64      `json:"duration_seconds" doc:"From the answer."`
	Cause           string     `json:"cause"`
	CauseText       string     `json:"cause_text"`
	Media           []Medium   `json:"media" nullable:"false"`
}

// Medium is the quality of one direction of one medium.
type Medium struct {
	Kind      string  `json:"kind" enum:"audio,video,content"`
	Direction string  `json:"direction" enum:"recv,send"`
	Codec     string  `json:"codec"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	Packets   uint64  `json:"packets"`
	Bytes     uint64  `json:"bytes"`
	Lost      uint64  `json:"lost"`
	JitterMS  float64 `json:"jitter_ms"`
	RTTMS     float64 `json:"rtt_ms,omitempty"`
}

func recordView(r record.Record) Record {
	return Record{
		ID: r.ID, Node: r.Node, Meeting: r.Meeting, Agency: r.Agency, Endpoint: r.Endpoint, Protocol: string(r.Protocol), Direction: string(r.Direction),
		Called: r.Called, RemoteAlias: r.RemoteAlias, RemoteName: r.RemoteName, RemoteURI: r.RemoteURI, RemoteAddress: r.RemoteAddress,
		Product: r.Product, Trunk: r.Trunk, Encryption: r.Encryption, StartedAt: r.Started, AnsweredAt: moment(r.Answered), EndedAt: moment(r.Ended),
		DurationSeconds: int64(r.Duration().Seconds()), Cause: string(r.Cause), CauseText: r.Text,
		Media: views(r.Media, func(m record.Medium) Medium { return Medium(m) }),
	}
}

// RecordQuery says which records.
type RecordQuery struct {
	From     time.Time `query:"from" doc:"Calls that began then or later."`
	To       time.Time `query:"to" doc:"Calls that began before."`
	Agency   string    `query:"agency" maxLength:"100"`
	Meeting  string    `query:"meeting" maxLength:"64"`
	Endpoint string    `query:"endpoint" maxLength:"64"`
}

// of is the query with what its key may see.
func (q RecordQuery) of(ctx context.Context) record.Query {
	out := record.Query{From: q.From, To: q.To, Agency: q.Agency, Meeting: q.Meeting, Endpoint: q.Endpoint}
	if agency := agencyOf(clientOf(ctx)); agency != "" {
		out.Agency = agency
	}
	return out
}

type recordsInput struct {
	PageQuery
	RecordQuery
}

type recordList struct {
	Body struct {
		Records    []Record `json:"records" nullable:"false"`
		NextCursor string   `json:"next_cursor,omitempty"`
	}
}

func (a *API) records() {
	const tag = "Records"
	list := operation("list-records", http.MethodGet, "/records", "List call records, the latest first", tag, http.StatusForbidden, http.StatusUnprocessableEntity)
	list.Metadata = map[string]any{byAgency: true}
	huma.Register(a.huma, list, func(ctx context.Context, in *recordsInput) (*recordList, error) {
		q := in.of(ctx)
		q.Limit, q.Cursor = in.Limit, in.Cursor
		page, next, err := record.List(ctx, a.Directory.DB, q)
		if errors.Is(err, record.ErrCursor) {
			return nil, document(http.StatusUnprocessableEntity, "", err.Error())
		}
		if err != nil {
			return nil, a.problem(err)
		}
		out := &recordList{}
		out.Body.Records, out.Body.NextCursor = views(page, recordView), next
		return out, nil
	})
	table := operation("export-records", http.MethodGet, "/records.csv", "Export call records as a table", tag, http.StatusForbidden)
	table.Metadata = map[string]any{byAgency: true}
	table.Responses = map[string]*huma.Response{"200": {Description: "The table.", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
	huma.Register(a.huma, table, func(ctx context.Context, in *RecordQuery) (*huma.StreamResponse, error) {
		q := in.of(ctx)
		return &huma.StreamResponse{Body: func(hc huma.Context) { a.writeRecords(hc, q) }}, nil
	})
	report := operation("report", http.MethodGet, "/reports", "Count usage by month or quarter and agency", tag, http.StatusForbidden, http.StatusUnprocessableEntity)
	report.Metadata = map[string]any{byAgency: true}
	huma.Register(a.huma, report, a.report)
}

var recordHeading = []string{
	"id", "started_at", "answered_at", "ended_at", "duration_seconds", "agency", "meeting", "protocol", "direction", "called", "remote_alias", "remote_name",
	"remote_uri", "remote_address", "product", "trunk", "encryption", "cause", "cause_text", "codecs", "lost", "jitter_ms", "node", "endpoint",
}

// writeRecords writes a table page by page.
func (a *API) writeRecords(hc huma.Context, q record.Query) {
	hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
	hc.SetHeader("Content-Disposition", `attachment; filename="records.csv"`)
	out := csv.NewWriter(hc.BodyWriter())
	_ = out.Write(recordHeading) // a connection that is gone shows at Flush
	for {
		page, next, err := record.List(hc.Context(), a.Directory.DB, q)
		if err != nil {
			a.log.Error("table of records broken off: " + err.Error())
			panic(http.ErrAbortHandler) // an end that looks whole would be a lie
		}
		for _, r := range page {
			_ = out.Write(recordCells(r))
		}
		out.Flush()
		if q.Cursor = next; next == "" || out.Error() != nil {
			return
		}
	}
}

func recordCells(r record.Record) []string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	var codecs bytes.Buffer
	var lost uint64
	var jitter float64
	for _, m := range r.Media {
		if m.Direction != "recv" || m.Codec == "" {
			continue
		}
		if codecs.Len() > 0 {
			codecs.WriteByte(' ')
		}
		codecs.WriteString(m.Kind + ":" + m.Codec)
		lost += m.Lost
		jitter = max(jitter, m.JitterMS)
	}
	return []string{
		r.ID, at(r.Started), at(r.Answered), at(r.Ended), strconv.FormatInt(int64(r.Duration().Seconds()), 10), r.Agency, r.Meeting, string(r.Protocol), string(r.Direction),
		r.Called, r.RemoteAlias, r.RemoteName, r.RemoteURI, r.RemoteAddress, r.Product, r.Trunk, r.Encryption, string(r.Cause), r.Text,
		codecs.String(), strconv.FormatUint(lost, 10), strconv.FormatFloat(jitter, 'f', 1, 64), r.Node, r.Endpoint,
	}
}

// Usage is what one agency used in one period.
type Usage struct {
	Period         string  `json:"period" example:"2026-01"`
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

type reportInput struct {
	RecordQuery
	By   string `query:"by" enum:"month,quarter" default:"month"`
	Zone string `query:"zone" maxLength:"64" default:"Asia/Ho_Chi_Minh"`
}

type reportOutput struct {
	Body struct {
		Usage []Usage `json:"usage" nullable:"false"`
	}
}

func (a *API) report(ctx context.Context, in *reportInput) (*reportOutput, error) {
	zone, err := time.LoadLocation(in.Zone)
	if err != nil {
		return nil, document(http.StatusUnprocessableEntity, "", "zone: "+err.Error())
	}
	usage, err := record.Report(ctx, a.Directory.DB, in.of(ctx), record.Period(in.By), zone)
	if err != nil {
		return nil, a.problem(err)
	}
	out := &reportOutput{}
	out.Body.Usage = views(usage, func(u record.Usage) Usage {
		return Usage{
			Period: u.Period, Agency: u.Agency, Calls: u.Calls, Answered: u.Answered, Failed: u.Failed, Meetings: u.Meetings,
			Minutes: minutes(u.Duration), LongestMinutes: minutes(u.Longest), SIP: u.SIP, H323: u.H323,
		}
	})
	return out, nil
}

// minutes keeps a tenth.
func minutes(d time.Duration) float64 { return float64(d.Round(6*time.Second)) / float64(time.Minute) }
