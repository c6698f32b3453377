//go:build linux

package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// figuresOf runs the tool and reads the figures of the file that it writes.
func figuresOf(t *testing.T, args ...string) (map[string]float64, string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "figures.json")
	var out, progress bytes.Buffer
	err := Run(t.Context(), append(args, "-json", file), &out, &progress)
	raw, readErr := os.ReadFile(file)
	if readErr != nil {
		return nil, out.String(), err
	}
	var d struct {
		Runs []struct{ Figures map[string]float64 }
	}
	if err := json.Unmarshal(raw, &d); err != nil || len(d.Runs) != 1 {
		t.Fatalf("%s: %v", raw, err)
	}
	return d.Runs[0].Figures, out.String(), err
}

// want fails unless each figure is there and what it should be.
func want(t *testing.T, figures map[string]float64, exact map[string]float64, positive ...string) {
	t.Helper()
	for name, v := range exact {
		if got, ok := figures[name]; !ok || got != v {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, v)
		}
	}
	for _, name := range positive {
		if figures[name] <= 0 {
			t.Errorf("%s is %v, want more than 0", name, figures[name])
		}
	}
}

func TestIdleReportsWhatAConnectionCosts(t *testing.T) {
	p := newPhoenix(t, "")
	got, out, err := figuresOf(t, "idle", "-addr", p.addr(), "-n", "40", "-topics", "4", "-rate", "400", "-w", "8",
		"-settle", "50ms", "-hold", "300ms", "-heartbeat", "100ms", "-workers", "2")
	if err != nil {
		t.Fatal(err, out)
	}
	want(t, got, map[string]float64{"joined": 40, "still_joined": 40, "w": 8},
		"connect.server_cpu_per_join_us", "connect.server_cpu_per_join_w", "heartbeats_answered",
		"server_cpu_per_connection_minute_us", "server_cpu_per_connection_minute_w", "server_rss_before_bytes", "connect.to_joined.p50_ms")
	if took := 40 / got["connect.per_s"]; took < .09 {
		t.Errorf("40 connections at 400 a second took %v s, want about 0.1", took)
	}
	if !strings.Contains(out, "idle.joined") || !strings.Contains(out, "VmRSS") {
		t.Errorf("output does not say what was measured:\n%s", out)
	}
}

func TestStormReportsWhatOthersNotice(t *testing.T) {
	for _, flags := range [][]string{nil, {"-reconnect", "-settle", "0s"}, {"-reconnect", "-rst", "-settle", "10ms"}} {
		p := newPhoenix(t, "")
		args := append([]string{
			"storm", "-addr", p.addr(), "-n", "60", "-canaries", "3", "-canary-rate", "100",
			"-before", "150ms", "-after", "50ms", "-w", "8", "-quiet",
		}, flags...)
		got, out, err := figuresOf(t, args...)
		if err != nil {
			t.Fatal(err, out)
		}
		want(t, got, map[string]float64{"joined": 60, "not_joined": 0, "canary.unanswered": 0, "canary.error_replies": 0},
			"until_all_joined_s", "canary.before.requests", "canary.before.p50_ms", "canary.after.requests",
			"to_joined_since_start.p99_ms", "server_cpu_per_join_w")
	}
}

func TestStormTriesAgainWhoWasRefused(t *testing.T) {
	p := newPhoenix(t, "")
	p.upgrades.Store(-2) // the first after the two canaries is refused
	p.fault = "refuse-once"
	got, out, err := figuresOf(t, "storm", "-addr", p.addr(), "-n", "20", "-canaries", "2", "-before", "20ms", "-after", "0s",
		"-w", "8", "-retries", "3")
	if err != nil {
		t.Fatal(err, out)
	}
	want(t, got, map[string]float64{"joined": 20, "failures.http-503": 1})
}

func TestStormSaysWhyNobodyGotIn(t *testing.T) {
	for fault, cause := range map[string]string{"refuse": "http-503", "refuse-join": "join-error"} {
		p := newPhoenix(t, fault)
		_, _, err := figuresOf(t, "storm", "-addr", p.addr(), "-n", "5", "-canaries", "1", "-before", "1ms", "-w", "8")
		if err == nil || !strings.Contains(err.Error(), cause) {
			t.Errorf("%s: %v, want the cause %s", fault, err, cause)
		}
	}
}

func TestFloodReportsWhatOthersNoticeOfHandshakes(t *testing.T) {
	for mode, wanted := range map[string][]string{
		"full":  {"handshakes_per_s", "server.tls_done", "server_cpu_per_handshake_us"},
		"hello": {"handshakes_per_s", "server.tls_failed"},
		"half":  {"attacks"},
		"idle":  {"handshakes_per_s", "server.tls_done"},
	} {
		t.Run(mode, func(t *testing.T) {
			got, out, err := figuresOf(t, "flood", "-mode", mode, "-n", "8", "-canaries", "3", "-canary-rate", "100", "-newcomers", "3",
				"-before", "150ms", "-duration", "600ms", "-after", "50ms", "-w", "8", "-quiet")
			if err != nil {
				t.Fatal(err, out)
			}
			want(t, got, map[string]float64{"newcomers.joined": 3, "canary.unanswered": 0, "canary.error_replies": 0, "server.refused": 0},
				append(wanted, "canary.before.requests", "canary.during.requests", "canary.p99_during_to_p50_before", "newcomers.to_joined.p50_ms")...)
		})
	}
}

func TestFloodChecksItsFlags(t *testing.T) {
	for _, flags := range [][]string{{"-mode", "gentle"}, {"-duration", "0s"}, {"-newcomers", "0"}, {"-computing", "-1"}, {"-canaries", "0"}} {
		if _, _, err := figuresOf(t, append([]string{"flood"}, flags...)...); err == nil || !strings.Contains(err.Error(), flags[0]) {
			t.Errorf("%v: %v", flags, err)
		}
	}
}

func TestFanoutCountsEveryDelivery(t *testing.T) {
	tests := map[string][]string{
		"at a rate":                       {"-rate", "50"},
		"at a rate, over many topics":     {"-rate", "100", "-topics", "7"},
		"as fast as it goes":              {"-rate", "0", "-window", "4", "-coalesce", "500us"},
		"as fast as it goes, many topics": {"-rate", "0", "-window", "3", "-topics", "12", "-workers", "3"},
		"everybody a probe":               {"-rate", "50", "-probes", "30"},
		"large messages":                  {"-rate", "20", "-size", "100000"},
	}
	for name, flags := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPhoenix(t, "")
			args := append([]string{"fanout", "-addr", p.addr(), "-n", "30", "-duration", "200ms", "-warmup", "60ms", "-w", "8"}, flags...)
			got, out, err := figuresOf(t, args...)
			if err != nil {
				t.Fatal(err, out)
			}
			want(t, got, map[string]float64{"missing": 0, "skipped": 0, "repeated": 0, "delivered": got["expected"]},
				"published", "expected", "server_cpu_per_delivery_us", "server_cpu_per_delivery_w", "deliveries_per_s",
				"delivery.p50_ms", "delivery.p99.9_ms", "delivery_to_probes.p50_ms")
		})
	}
}

func TestFanoutAtARateKeepsToIt(t *testing.T) {
	p := newPhoenix(t, "")
	got, out, err := figuresOf(t, "fanout", "-addr", p.addr(), "-n", "30", "-rate", "100", "-duration", "250ms", "-warmup", "0s", "-w", "8")
	if err != nil {
		t.Fatal(err, out)
	}
	want(t, got, map[string]float64{"published": 25, "expected": 750, "delivered": 750})
}

func TestFanoutFailsIfTheServerRepeats(t *testing.T) {
	p := newPhoenix(t, "repeat")
	got, _, err := figuresOf(t, "fanout", "-addr", p.addr(), "-n", "30", "-rate", "50", "-duration", "200ms", "-warmup", "0s", "-w", "8", "-drain", "100ms")
	if err == nil || got["repeated"] != 1 {
		t.Errorf("repeated %v, error %v: one delivery was made twice", got["repeated"], err)
	}
}

func TestFanoutFailsIfTheServerLoses(t *testing.T) {
	for _, rate := range []string{"50", "0"} {
		p := newPhoenix(t, "lose")
		got, _, err := figuresOf(t, "fanout", "-addr", p.addr(), "-n", "30", "-rate", rate, "-duration", "200ms", "-warmup", "0s", "-w", "8", "-drain", "100ms")
		if err == nil || got["missing"] < 1 {
			t.Errorf("rate %s: missing %v, error %v: one delivery was not made", rate, got["missing"], err)
		}
	}
}

func TestSlowReportsWhatBecameOfThoseWhoDoNotRead(t *testing.T) {
	for policy, exact := range map[string]map[string]float64{
		"close":       {"stuck.closed": 3, "stuck.thinned": 0},
		"drop_oldest": {"stuck.closed": 0, "stuck.thinned": 3},
		"keep_latest": {"stuck.closed": 0, "stuck.thinned": 3},
	} {
		t.Run(policy, func(t *testing.T) {
			got, out, err := figuresOf(t, "slow", "-n", "60", "-stuck", "5", "-policy", policy, "-outbox", "262144", "-probes", "3", "-size", "30000",
				"-rate", "20", "-warmup", "100ms", "-calm", "300ms", "-duration", "3s", "-w", "8")
			if err != nil {
				t.Fatal(err, out)
			}
			want(t, got, exact)
			want(t, got, map[string]float64{"stuck": 3},
				"before.delivery.median_p99_ms", "before.delivery.p99_ms", "during.delivery.p99_ms", "before.server_rss_bytes", "during.server_rss_peak_bytes",
				"p99_during_to_before", "p99_after_to_before", "server_rss_peak_during_to_before")
			if !strings.Contains(out, "3 of the 3 that were stuck were "+map[bool]string{true: "closed", false: "thinned"}[policy == "close"]) {
				t.Errorf("no verdict:\n%s", out)
			}
			if (got["stuck.deliveries_dropped"] > 0) != (policy != "close") {
				t.Errorf("%v deliveries were dropped", got["stuck.deliveries_dropped"])
			}
		})
	}
}

func TestSlowChecksItsFlags(t *testing.T) {
	for _, flags := range [][]string{{"-policy", "never"}, {"-stuck", "0"}, {"-stuck", "100"}, {"-rate", "0"}, {"-calm", "0s"}} {
		if _, _, err := figuresOf(t, append([]string{"slow"}, flags...)...); err == nil || !strings.Contains(err.Error(), flags[0]) {
			t.Errorf("%v: %v", flags, err)
		}
	}
}

func TestPingpongCountsRequests(t *testing.T) {
	for name, flags := range map[string][]string{"closed loop": nil, "at a rate": {"-rate", "500"}, "two workers": {"-workers", "2"}} {
		t.Run(name, func(t *testing.T) {
			p := newPhoenix(t, "")
			args := append([]string{"pingpong", "-addr", p.addr(), "-n", "20", "-topics", "20", "-duration", "200ms", "-warmup", "50ms", "-w", "8"}, flags...)
			got, out, err := figuresOf(t, args...)
			if err != nil {
				t.Fatal(err, out)
			}
			want(t, got, map[string]float64{"unanswered": 0, "error_replies": 0},
				"requests", "server_cpu_per_request_us", "server_cpu_per_request_w", "requests_per_s", "reply.p50_ms", "reply.p99_ms")
			if name == "at a rate" {
				want(t, got, map[string]float64{"requests": 100})
			}
		})
	}
}

func TestPingpongFailsIfTheServerHangsUp(t *testing.T) {
	p := newPhoenix(t, "hang-up")
	_, _, err := figuresOf(t, "pingpong", "-addr", p.addr(), "-n", "2", "-topics", "2", "-duration", "20ms", "-warmup", "0s", "-w", "8", "-drain", "100ms")
	if err == nil || !strings.Contains(err.Error(), "answered") {
		t.Errorf("error is %v, want that nothing was answered", err)
	}
}

func TestFloorMeasuresWrites(t *testing.T) {
	got, out, err := figuresOf(t, "floor", "-n", "50", "-duration", "50ms")
	if err != nil {
		t.Fatal(err, out)
	}
	want(t, got, nil, "w", "rounds", "deliveries_per_s", "deliveries_per_writer_cpu_s")
	if got["w"] < .5 || got["w"] > 500 {
		t.Errorf("a write takes %v µs", got["w"])
	}
}

func TestCostsComeInWOfTheSameRun(t *testing.T) {
	p := newPhoenix(t, "")
	got, out, err := figuresOf(t, "pingpong", "-addr", p.addr(), "-n", "5", "-topics", "5", "-duration", "50ms", "-warmup", "0s",
		"-floor", "50ms", "-floor-n", "50")
	if err != nil {
		t.Fatal(err, out)
	}
	want(t, got, nil, "w", "w_before", "w_after")
	if w := got["server_cpu_per_request_us"] / got["server_cpu_per_request_w"]; w < .99*got["w"] || w > 1.01*got["w"] {
		t.Errorf("costs are in %v µs, w is %v µs", w, got["w"])
	}
}
