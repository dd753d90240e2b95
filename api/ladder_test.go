package api_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/trace"
)

func TestLadder(t *testing.T) {
	kept := trace.New(trace.Limits{}, nil)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	local, remote := netip.MustParseAddrPort("10.0.0.1:5060"), netip.MustParseAddrPort("10.0.0.2:5062")
	kept.AddTo("c1", trace.Message{Time: at, In: true, Protocol: trace.SIP, Transport: "udp", Local: local, Remote: remote, Summary: "INVITE", Data: []byte("INVITE sip:x@y SIP/2.0\r\n\r\n")})
	kept.AddTo("c1", trace.Message{Time: at.Add(time.Second), Protocol: trace.BFCP, Transport: "tcp", Local: local, Summary: "Hello", Data: []byte{0x20, 11, 0, 0}})
	kept.End("c1")
	a := newAPI(t, &fake{}, func(c *api.Config) { c.Trace = kept })

	w := ask(a, http.MethodGet, "/api/v1/calls/c1/ladder", "", withKey)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	var got api.Ladder
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Len(t, got.Messages, 2)
	require.Equal(t, api.LadderMessage{
		Time: at, Direction: "in", Protocol: "sip", Transport: "udp", Local: "10.0.0.1:5060", Remote: "10.0.0.2:5062",
		Summary: "INVITE", Text: "INVITE sip:x@y SIP/2.0\r\n\r\n",
	}, got.Messages[0])
	require.Equal(t, []byte{0x20, 11, 0, 0}, got.Messages[1].Data)
	require.Equal(t, "out", got.Messages[1].Direction)

	w = ask(a, http.MethodGet, "/api/v1/calls/c1/ladder.pcap", "", withKey)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, []byte{0xD4, 0xC3, 0xB2, 0xA1}, w.Body.Bytes()[:4])
	require.Equal(t, "application/vnd.tcpdump.pcap", w.Header().Get("Content-Type"))

	for _, path := range []string{"/api/v1/calls/c2/ladder", "/api/v1/calls/c2/ladder.pcap"} {
		require.Equal(t, http.StatusNotFound, ask(a, http.MethodGet, path, "", withKey).Code)
		require.Equal(t, http.StatusUnauthorized, ask(a, http.MethodGet, path, "").Code)
	}
	require.Equal(t, http.StatusNotFound, ask(newAPI(t, &fake{}), http.MethodGet, "/api/v1/calls/c1/ladder", "", withKey).Code)
}
