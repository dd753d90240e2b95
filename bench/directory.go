package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/roomgate/roomgate/bench/uac"
)

// directory is a province's directory and dial plan: imported, searched, decided by.
func (r *run) directory(ctx context.Context) error {
	const agents = 2 // what a decision takes, not what a full machine makes of it
	endpoints, rules, calls := 100_000, 1000, 3000
	if r.in.Quick {
		endpoints, calls = 20_000, 1000
	}
	st, err := r.newStage(ctx, setup{}, agents)
	if err != nil {
		return err
	}
	defer st.close()
	const table = 10_000
	var slowest time.Duration
	for from := 0; from < endpoints; from += table {
		began := time.Now()
		if err := st.gateway.ask(ctx, http.MethodPost, "/endpoints/import", "text/csv", endpointTable(from, table), nil); err != nil {
			return fmt.Errorf("import: %w", err)
		}
		slowest = max(slowest, time.Since(began))
	}
	r.add(Figure{Scenario: "directory", Name: "10,000 endpoints imported from CSV, the slowest of all tables", Value: slowest.Seconds(), Unit: "s", Target: 10,
		Note: fmt.Sprintf("%d in all, kept in SQLite", endpoints)})
	if err := r.searches(ctx, st.gateway, endpoints); err != nil {
		return err
	}
	if err := plan(ctx, st.gateway, rules); err != nil {
		return fmt.Errorf("dial plan: %w", err)
	}
	before := st.gateway.scrape(ctx)
	began := time.Now()
	if err := st.refusedCalls(ctx, calls); err != nil {
		return err
	}
	took := time.Since(began)
	counts, below := buckets(before, st.gateway.scrape(ctx), "roomgate_route_decision_seconds")
	if counts[len(counts)-1] < uint64(calls) {
		return fmt.Errorf("%d decisions of %d calls", counts[len(counts)-1], calls)
	}
	r.add(Figure{Scenario: "directory", Name: fmt.Sprintf("decision where a call goes, %d rules and %d endpoints, p99 at most", rules, endpoints),
		Value: 1e3 * percentile(counts, below, 0.99), Unit: "ms", Target: 1,
		Note: fmt.Sprintf("p50 at most %g ms; %d calls that the last rule refuses, %.0f a second", 1e3*percentile(counts, below, 0.5), calls, float64(calls)/took.Seconds())})
	return nil
}

// endpointTable is a CSV table of endpoints.
func endpointTable(from, n int) []byte {
	var b bytes.Buffer
	b.WriteString("name,agency,site,e164,sip\n")
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, "Phòng họp %d tầng %d,Sở số %d,Hà Nội %d,%d,room-%06d\n", i, i%9, i%200, i%30, 5_000_000+i, i)
	}
	return b.Bytes()
}

// searches looks for words that no, one and many endpoints have.
func (r *run) searches(ctx context.Context, g *gateway, endpoints int) error {
	var took []time.Duration
	for i := range 300 {
		text := []string{"hop tang nothing", fmt.Sprintf("room-%06d", i*7%endpoints), "so so " + strconv.Itoa(i%200)}[i%3]
		began := time.Now()
		var found struct{ Endpoints []json.RawMessage }
		if err := g.ask(ctx, http.MethodGet, "/endpoints?limit=20&q="+url.QueryEscape(text), "", nil, &found); err != nil {
			return fmt.Errorf("search: %w", err)
		}
		took = append(took, time.Since(began))
		if some := i%3 > 0; some != (len(found.Endpoints) > 0) {
			return fmt.Errorf("%d endpoints found by %q", len(found.Endpoints), text)
		}
	}
	slices.Sort(took)
	r.add(Figure{Scenario: "directory", Name: fmt.Sprintf("search among %d endpoints over the API, p95", endpoints),
		Value: took[len(took)*95/100].Seconds() * 1e3, Unit: "ms", Target: 20, Note: fmt.Sprintf("p50 %.1f ms", took[len(took)/2].Seconds()*1e3)})
	return nil
}

// plan makes dial rules of several kinds, of which the last refuses what no other takes.
func plan(ctx context.Context, g *gateway, rules int) error {
	for i := range rules {
		rule := map[string]any{"position": i}
		switch {
		case i == rules-1:
			rule["prefix"], rule["reject"] = "9", "busy"
		case i%3 == 0:
			rule["prefix"], rule["meeting"] = fmt.Sprintf("77%03d", i), "m-$1"
		case i%3 == 1:
			rule["pattern"], rule["meeting"] = fmt.Sprintf(`(?:\+84|0)%d(\d{7})`, 2000+i), "n-$1"
		default:
			rule["pattern"], rule["caller"], rule["reject"] = `\d+`, "nobody"+strconv.Itoa(i), "rejected"
		}
		body, err := json.Marshal(rule)
		if err != nil {
			return err
		}
		if err := g.ask(ctx, http.MethodPost, "/dial-rules", "application/json", body, nil); err != nil {
			return err
		}
	}
	return nil
}

// refusedCalls are calls that are decided and go nowhere.
func (st *stage) refusedCalls(ctx context.Context, n int) error {
	var wait sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for a, agent := range st.agents {
		wait.Go(func() {
			for i := a; i < n; i += len(st.agents) {
				_, err := agent.Invite(ctx, fmt.Sprintf("9%07d", i), offer(st.ports[0], casting{}), account(i))
				var refused *uac.Refused
				if errors.As(err, &refused) && refused.Status == 486 {
					continue
				}
				mu.Lock()
				failed = fmt.Errorf("a call that should be refused as busy: %w", err)
				mu.Unlock()
				return
			}
		})
	}
	wait.Wait()
	return failed
}

// ask uses the API.
func (g *gateway) ask(ctx context.Context, method, path, kind string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	address := strings.TrimSuffix(g.metrics, "/metrics") + "/api/v1" + path
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// buckets are what a histogram of the metrics counted between two scrapes, and the upper
// bounds in seconds; the counts add up.
func buckets(before, after, name string) (counts []uint64, below []float64) {
	was := map[string]uint64{}
	read := func(text string, take func(bound string, n uint64)) {
		for line := range strings.Lines(text) {
			rest, ok := strings.CutPrefix(line, name+`_bucket{le="`)
			if !ok {
				continue
			}
			bound, number, _ := strings.Cut(rest, `"} `)
			n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err == nil {
				take(bound, uint64(n))
			}
		}
	}
	read(before, func(bound string, n uint64) { was[bound] = n })
	read(after, func(bound string, n uint64) {
		seconds, err := strconv.ParseFloat(bound, 64) // +Inf, too
		if err == nil {
			counts, below = append(counts, n-was[bound]), append(below, seconds)
		}
	})
	return append(counts, 0)[:max(len(counts), 1)], append(below, 0)[:max(len(below), 1)]
}

// percentile is the bound of the bucket that a part of all is in.
func percentile(counts []uint64, below []float64, part float64) float64 {
	all := float64(counts[len(counts)-1])
	for i, n := range counts {
		if float64(n) >= part*all {
			return below[i]
		}
	}
	return below[len(below)-1]
}
