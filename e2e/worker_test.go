package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomgate/roomgate/client"
)

// cards are the test cards that a terminal saw on its last picture.
func (r roomReport) cards() (list []int) {
	if r.Video == nil {
		return nil
	}
	for _, tile := range r.Video.Tiles {
		list = append(list, tile.Identity)
	}
	slices.Sort(list)
	return list
}

// meeting makes one with a layout.
func (g *gateway) meeting(alias, layout string) {
	g.t.Helper()
	if _, err := g.api().CreateMeeting(context.Background(), client.MeetingRequest{Alias: alias, Layout: layout}); err != nil {
		g.t.Fatal(err)
	}
}

// Terminals of different ages see each other in one composed picture, each in
// the codec it knows, by SIP and by H.323.
func TestTerminalsOfAllAgesSeeEachOther(t *testing.T) {
	g := startGateway(t, "")
	g.meeting("demo", "grid")
	call := func(hz float64, card int, codec string, more ...string) *room {
		return startRoom(t, hz, append([]string{
			"--call", "demo@" + gatewayIP, "--video", fmt.Sprintf("card:%d", card), "--video-codecs", codec, "--tiles",
			"--duration", "20s", "--codecs", "PCMA",
		}, more...)...)
	}
	rooms := []*room{
		call(440, 1, "H263"),
		call(550, 2, "H264"),
		call(660, 3, "H261", "--protocol", "h323"),
		call(770, 4, "VP8"),
	}
	codecs := []string{"H263", "H264", "H261", "VP8"}
	for i, r := range rooms {
		got := r.report()
		if !got.Connected || got.Video == nil || got.Video.Codec != codecs[i] || got.Video.Frames < 50 {
			t.Errorf("%s: %+v, video %+v", r.name, got, got.Video)
			continue
		}
		others := slices.DeleteFunc([]int{1, 2, 3, 4}, func(n int) bool { return n == i+1 })
		if cards := got.cards(); !slices.Equal(cards, others) {
			t.Errorf("%s sees the cards %v, want %v", r.name, cards, others)
		}
		for _, tile := range got.Video.Tiles {
			if tile.Frames < 10 {
				t.Errorf("%s: %d different cards of %d", r.name, tile.Frames, tile.Identity)
			}
		}
	}
}

// workers are the process identifiers of the gateway's video workers.
func (g *gateway) workers() (list []int) {
	g.t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		g.t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid, rest, _ := strings.Cut(string(text), " (roomgate-video) ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(g.cmd.Process.Pid) {
			if n, err := strconv.Atoi(pid); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// A video worker that is killed costs pictures for a moment, no sound, and no
// call.
func TestKilledWorker(t *testing.T) {
	g := startGateway(t, "")
	g.meeting("demo", "grid")
	var rooms []*room
	for i := range 3 {
		rooms = append(rooms, startRoom(t, 440+110*float64(i), "--call", "demo@"+gatewayIP, "--video", fmt.Sprintf("card:%d@640x360", i),
			"--tiles", "--duration", "30s", "--codecs", "PCMA"))
	}
	eventually(t, 20*time.Second, "a worker", func() bool { return len(g.workers()) > 0 })
	<-time.After(6 * time.Second)
	for _, pid := range g.workers() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	eventually(t, 2*time.Second, "another worker", func() bool { return len(g.workers()) > 0 })
	for i, r := range rooms {
		got := r.report()
		if !got.Connected || got.Cause != "" || got.Audio == nil || got.Audio.Lost > 0 || got.Audio.Packets < 800 {
			t.Errorf("%s: %+v, audio %+v", r.name, got, got.Audio)
		}
		others := slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return n == i })
		if cards := got.cards(); !slices.Equal(cards, others) {
			t.Errorf("%s sees the cards %v, want %v", r.name, cards, others)
		}
	}
}
