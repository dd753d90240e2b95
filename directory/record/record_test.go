package record_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/record"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

var begin = time.Date(2026, 1, 31, 16, 0, 0, 0, time.UTC) // 23:00 in Hà Nội

func each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), address)
			require.NoError(t, err)
			defer db.Close()
			test(t, db)
		})
	}
}

func sample(i int) record.Record {
	at := begin.Add(time.Duration(i) * time.Hour)
	return record.Record{
		ID: fmt.Sprintf("leg-%03d", i), Node: "n1", Meeting: "88001", Agency: []string{"UBND", "Sở Y tế"}[i%2], Endpoint: "e1", Protocol: call.SIP, Direction: call.In,
		Called: "88001", RemoteAlias: "1001", RemoteName: "Phòng họp A", RemoteURI: "sip:1001@gw", RemoteAddress: "10.1.2.3:5060", Product: "Poly", Encryption: "srtp",
		Started: at, Answered: at.Add(time.Second), Updated: at.Add(time.Minute),
		Media: []record.Medium{{Kind: "audio", Direction: "recv", Codec: "opus", Packets: 50, Bytes: 5000, Lost: 1, JitterMS: 1.5}},
	}
}

func TestSaveListAndClose(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var list []record.Record
		for i := range 10 {
			list = append(list, sample(i))
		}
		require.NoError(t, record.Save(ctx, db, list))
		ended := list[3]
		ended.Ended, ended.Updated, ended.Cause, ended.Text = ended.Started.Add(time.Hour), ended.Started.Add(time.Hour), call.NormalClearing, "bye"
		require.NoError(t, record.Save(ctx, db, []record.Record{ended}))
		require.NoError(t, record.Save(ctx, db, list[3:4]), "an older state that comes late")

		var got []record.Record
		q := record.Query{Limit: 3}
		for {
			page, next, err := record.List(ctx, db, q)
			require.NoError(t, err)
			got = append(got, page...)
			if q.Cursor = next; next == "" {
				break
			}
		}
		require.Len(t, got, 10)
		assert.Equal(t, list[9], got[0], "the latest first")
		assert.Equal(t, ended, got[6], "what is closed stays closed")
		assert.Equal(t, time.Hour-time.Second, got[6].Duration())

		for want, q := range map[int]record.Query{
			5: {Agency: "UBND"}, 2: {From: begin.Add(2 * time.Hour), To: begin.Add(4 * time.Hour)}, 0: {Meeting: "other"}, 9: {Open: true}, 10: {Endpoint: "e1"},
		} {
			page, _, err := record.List(ctx, db, q)
			require.NoError(t, err)
			assert.Len(t, page, want, "%+v", q)
		}
		for _, cursor := range []string{"!", "YQ"} {
			_, _, err := record.List(ctx, db, record.Query{Cursor: cursor})
			assert.ErrorIs(t, err, record.ErrCursor)
		}

		closed, err := record.Close(ctx, db, "n2")
		require.NoError(t, err)
		assert.Zero(t, closed)
		closed, err = record.Close(ctx, db, "n1")
		require.NoError(t, err)
		assert.EqualValues(t, 9, closed)
		page, _, err := record.List(ctx, db, record.Query{Limit: 1})
		require.NoError(t, err)
		assert.Equal(t, list[9].Updated, page[0].Ended)
		assert.Equal(t, call.Failure, page[0].Cause)
	})
}

func TestReport(t *testing.T) {
	zone := time.FixedZone("+07", 7*3600)
	each(t, func(t *testing.T, db *store.DB) {
		a, b, c := sample(0), sample(1), sample(2) // 31 January 23:00, 1 February 00:00 and 01:00
		a.Ended, a.Cause = a.Answered.Add(10*time.Minute), call.NormalClearing
		b.Answered, b.Ended, b.Cause = time.Time{}, b.Started.Add(time.Minute), call.Timeout
		c.Ended, c.Cause, c.Protocol, c.Meeting = c.Answered.Add(20*time.Minute), call.NormalClearing, call.H323, "88002"
		require.NoError(t, record.Save(t.Context(), db, []record.Record{a, b, c}))
		months, err := record.Report(t.Context(), db, record.Query{}, record.Month, zone)
		require.NoError(t, err)
		assert.Equal(t, []record.Usage{
			{Period: "2026-01", Agency: "UBND", Calls: 1, Answered: 1, Meetings: 1, Duration: 10 * time.Minute, Longest: 10 * time.Minute, SIP: 1},
			{Period: "2026-02", Agency: "Sở Y tế", Calls: 1, Failed: 1, Meetings: 1, SIP: 1},
			{Period: "2026-02", Agency: "UBND", Calls: 1, Answered: 1, Meetings: 1, Duration: 20 * time.Minute, Longest: 20 * time.Minute, H323: 1},
		}, months)
		quarters, err := record.Report(t.Context(), db, record.Query{Agency: "UBND"}, record.Quarter, zone)
		require.NoError(t, err)
		assert.Equal(t, []record.Usage{
			{Period: "2026-Q1", Agency: "UBND", Calls: 2, Answered: 2, Meetings: 2, Duration: 30 * time.Minute, Longest: 20 * time.Minute, SIP: 1, H323: 1},
		}, quarters)
	})
}

// TestLogWaitsForTheDatabase: what the database does not take is written when it
// answers again, in its latest state.
func TestLogWaitsForTheDatabase(t *testing.T) {
	address := filepath.Join(t.TempDir(), "x.db")
	db, err := store.Open(t.Context(), address)
	require.NoError(t, err)
	defer db.Close()
	hide := func(from, to string) {
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to)
			return err
		}))
	}
	log := record.NewLog(db, zap.NewNop())
	hide("records", "away")
	r := sample(1)
	log.Put(r)
	assert.False(t, log.Flush(t.Context()))
	r.Ended, r.Cause = r.Updated, call.NormalClearing
	log.Put(r)
	assert.False(t, log.Flush(t.Context()))
	hide("away", "records")
	assert.True(t, log.Flush(t.Context()))
	list, _, err := record.List(t.Context(), db, record.Query{})
	require.NoError(t, err)
	assert.Equal(t, []record.Record{r}, list)
}
