package bench

import "testing"

func TestPercentileOfBuckets(t *testing.T) {
	const before = "x_bucket{le=\"0.001\"} 10\nx_bucket{le=\"0.01\"} 10\nx_bucket{le=\"+Inf\"} 10\n"
	const after = "# HELP x\nx_bucket{le=\"0.001\"} 100\nx_bucket{le=\"0.01\"} 109\nx_bucket{le=\"+Inf\"} 110\nx_sum 3\n"
	counts, below := buckets(before, after, "x")
	if len(counts) != 3 || counts[0] != 90 || counts[2] != 100 {
		t.Fatalf("%v %v", counts, below)
	}
	for part, want := range map[float64]float64{0.5: 0.001, 0.9: 0.001, 0.95: 0.01, 0.99: 0.01} {
		if got := percentile(counts, below, part); got != want {
			t.Errorf("%v: %v, want %v", part, got, want)
		}
	}
	if counts, _ := buckets("", "", "x"); len(counts) != 1 || counts[0] != 0 {
		t.Errorf("%v of nothing", counts)
	}
}
