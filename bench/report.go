package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Figure is one thing that was measured.
type Figure struct {
	Scenario string  `json:"scenario"`
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	// Target is what the product promises, 0 where it promises nothing: an
	// upper bound, or a lower one with AtLeast.
	Target  float64 `json:"target,omitempty"`
	AtLeast bool    `json:"at_least,omitempty"`
	// Zero makes 0 the target.
	Zero bool `json:"zero,omitempty"`
	// Baseline is the same thing done by a bare loop, or without the gateway,
	// in the same run.
	Baseline float64 `json:"baseline,omitempty"`
	Against  string  `json:"against,omitempty"`
	// Reference is Baseline on the machine that Target was set for; 0 where Target holds
	// on any machine.
	Reference float64 `json:"reference,omitempty"`
	Note      string  `json:"note,omitempty"`
}

// Judged reports whether the figure has a target.
func (f Figure) Judged() bool { return f.Target != 0 || f.Zero }

// Bound is Target on this machine: as much higher as the bare loops take longer here.
func (f Figure) Bound() float64 {
	if f.Reference == 0 {
		return f.Target
	}
	return f.Target * max(1, f.Baseline/f.Reference)
}

// OK reports whether the target is met.
func (f Figure) OK() bool {
	if f.AtLeast {
		return f.Value >= f.Target
	}
	return f.Value <= f.Bound()
}

// Ratio is the figure as a multiple of its baseline; 0 without one.
func (f Figure) Ratio() float64 {
	if f.Baseline == 0 {
		return 0
	}
	return f.Value / f.Baseline
}

// Failure is a scenario that could not be measured to its end.
type Failure struct {
	Scenario string `json:"scenario"`
	Reason   string `json:"reason"`
}

// Report is the outcome of a run.
type Report struct {
	Machine  string    `json:"machine"`
	Began    time.Time `json:"began"`
	Took     float64   `json:"took_s"`
	Figures  []Figure  `json:"figures"`
	Failures []Failure `json:"failures,omitempty"`
}

func (r *run) add(f Figure) {
	r.report.Figures = append(r.report.Figures, f)
	r.say("  %-46s %s", f.Name, f.measured())
}

func (f Figure) measured() string { return strings.TrimSpace(number(f.Value) + " " + f.Unit) }

// number shows three figures that count.
func number(v float64) string {
	switch a := max(v, -v); {
	case a >= 100 || v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	case a >= 0.1:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.5f", v)
}

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Table writes the report for people.
func (r *Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "%s\n\n", r.Machine)
	_, _ = fmt.Fprintln(t, "scenario\tfigure\tmeasured\ttarget\tratio to baseline\t\tnote")
	for _, f := range r.Figures {
		target, verdict, ratio := "", "", ""
		if f.Judged() {
			target, verdict = "<= "+number(f.Target), "over"
			if bound := f.Bound(); bound != f.Target {
				target += fmt.Sprintf(" (%s here)", number(bound))
			}
			if f.AtLeast {
				target, verdict = ">= "+number(f.Target), "under"
			}
			if f.OK() {
				verdict = "ok"
			}
		}
		if f.Baseline != 0 {
			ratio = fmt.Sprintf("%.2f x %s (%s)", f.Ratio(), number(f.Baseline), f.Against)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Scenario, f.Name, f.measured(), target, ratio, verdict, f.Note)
	}
	for _, f := range r.Failures {
		_, _ = fmt.Fprintf(t, "%s\tnot measured\t\t\t\tfailed\t%s\n", f.Scenario, f.Reason)
	}
	_, _ = fmt.Fprintf(t, "\n%.0f s\n", r.Took)
	return t.Flush()
}

// machine describes where the figures hold.
func machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it the model stays out
	model := runtime.GOARCH
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), model, runtime.Version())
}
