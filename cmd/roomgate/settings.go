package main

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/gateway/policy"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/sip"
)

// quarantine is how long a media port rests before another call gets it.
const quarantine = 5 * time.Second

// cameras are what terminals are told that they may move: whatever another terminal's
// camera can do is found out when they try.
var cameras = h224.Abilities{Presets: 15, Pan: true, Tilt: true, Zoom: true, Focus: true}

// capabilities is what legs are offered, best first. Constrained Baseline comes
// alone: every browser decodes it, so that no picture has to be transcoded.
func capabilities() media.Capabilities {
	h264 := func(payloadType, mode uint8, profileLevel uint32) media.Format {
		return media.Format{
			Codec: media.H264, PayloadType: payloadType, ClockRate: 90000,
			H264: media.H264Format{ProfileLevelID: profileLevel, PacketizationMode: mode, AsymmetryAllowed: true},
		}
	}
	const upTo720p, upTo1080p = 0x42e01f, 0x42e028 // slides are read
	return media.Capabilities{
		Audio:    audioOf(defaultCodecs),
		Video:    []media.Format{h264(97, 1, upTo720p), h264(98, 0, upTo720p)},
		Content:  []media.Format{h264(97, 1, upTo1080p), h264(98, 0, upTo1080p)},
		MaxVideo: 4_000_000, MaxContent: 4_000_000,
		Keypad: true,
		Camera: true,
	}
}

// audioFormats are the codecs by the names they have in the configuration.
var audioFormats = map[string][]media.Format{
	"opus": {{Codec: media.Opus, PayloadType: 96, ClockRate: 48000, Channels: 2, Opus: media.OpusFormat{InbandFEC: true}}},
	"g7221c": {
		{Codec: media.G7221, PayloadType: 115, ClockRate: 32000, Bitrate: 48000},
		{Codec: media.G7221, PayloadType: 114, ClockRate: 32000, Bitrate: 32000},
		{Codec: media.G7221, PayloadType: 113, ClockRate: 32000, Bitrate: 24000},
	},
	"g722": {{Codec: media.G722, PayloadType: 9, ClockRate: 8000}},
	"g7221": {
		{Codec: media.G7221, PayloadType: 102, ClockRate: 16000, Bitrate: 32000},
		{Codec: media.G7221, PayloadType: 103, ClockRate: 16000, Bitrate: 24000},
	},
	"pcma": {{Codec: media.PCMA, PayloadType: 8, ClockRate: 8000}},
	"pcmu": {{Codec: media.PCMU, PayloadType: 0, ClockRate: 8000}},
	"g729": {{Codec: media.G729, PayloadType: 18, ClockRate: 8000}},
}

// defaultCodecs go by bandwidth: Opus and Annex C of G.722.1 (Siren 14) hold
// more than 7 kHz, G.722 has more bits for its 7 than G.722.1. G.729 is for
// trunks that name it.
var defaultCodecs = []string{"opus", "g7221c", "g722", "g7221", "pcma", "pcmu"}

func audioOf(names []string) []media.Format {
	var list []media.Format
	for _, name := range names {
		list = append(list, audioFormats[name]...)
	}
	return list
}

// rejections are the words of dial_rules.
var rejections = map[string]call.CauseCode{
	"":            "",
	"forbidden":   call.Rejected,
	"not_found":   call.UnknownAlias,
	"busy":        call.UserBusy,
	"unavailable": call.Unavailable,
}

// gatewaySettings is what of the configuration and of the directory the gateway
// can change while calls run. The rules of the configuration come first.
func gatewaySettings(c *config.Config, lines []directory.Trunk, more []directory.Rule) (gateway.Settings, error) {
	rules := make([]route.Rule, 0, len(c.DialRules)+len(more))
	for _, r := range c.DialRules {
		rules = append(rules, route.Rule{
			Pattern: r.Pattern, Prefix: r.Prefix, Trunk: r.Trunk, Protocol: call.Protocol(r.Protocol),
			Meeting: r.Meeting, Endpoint: r.Endpoint, Lobby: r.Lobby, Language: spoken(r.Language), Reject: rejections[r.Reject],
		})
	}
	table, err := route.Compile(append(rules, more...), route.Options{Country: c.DialPlan.Country})
	if err != nil {
		return gateway.Settings{}, err
	}
	table.Lobby.Aliases = c.Lobby.Alias
	trunks := make(map[string][]media.Format)
	languages, encryption := make(map[string]string), make(map[string]string)
	for _, t := range allTrunks(c, lines) {
		if t.Language != "" {
			languages[t.Name] = spoken(t.Language)
		}
		if t.Lobby {
			table.Lobby.Trunks = append(table.Lobby.Trunks, t.Name)
		}
		if t.Encryption != "" {
			encryption[t.Name] = t.Encryption
		}
		if len(t.Codecs) > 0 {
			trunks[t.Name] = audioOf(t.Codecs)
		}
	}
	return gateway.Settings{
		Rules:      table,
		TrunkAudio: trunks, TrunkEncryption: encryption,
		AutoCreate:    c.Meetings.AutoCreate,
		DefaultLayout: c.Meetings.DefaultLayout,
		EarlyJoin:     c.Meetings.EarlyJoin,
		LectureTurn:   c.Meetings.LectureTurn,
		Banners:       c.Meetings.Banners,
		ClockZone:     clockZone(c.Meetings.Clock),
		Chat:          c.Meetings.Chat,
		Encryption:    c.RTP.Encryption,
		Keypad:        c.Meetings.Keypad,
		Lobby: gateway.LobbySettings{
			Language: spoken(c.Lobby.Language), TrunkLanguage: languages,
			Tries: c.Lobby.Tries, Tones: c.Lobby.Tones, Names: gateway.Names(c.Lobby.Names),
		},
		MaxCalls: c.Limits.MaxCalls,
		MaxLegs:  c.Meetings.MaxLegs,
	}, nil
}

// spoken is a language of the configuration; "" for one that is asked for.
func spoken(language string) string {
	if language == "ask" {
		return ""
	}
	return language
}

// lobbyPrompts opens what the lobby says; nil when the program was built without.
func lobbyPrompts(c *config.Config, log *zap.Logger) (*prompt.Set, error) {
	set, err := prompt.Open(c.Lobby.Prompts)
	if errors.Is(err, prompt.ErrNotBuilt) {
		log.Warn("no lobby", zap.Error(err))
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lobby.prompts: %w", err)
	}
	return set, nil
}

// callPolicy is the program that is asked where calls go; nil: none.
func callPolicy(c config.Policy, log *zap.Logger) gateway.Policy {
	if c.URL == "" {
		return nil
	}
	return policy.New(policy.Config{URL: c.URL, Secret: c.Secret, Timeout: c.Timeout, Refuse: c.Fallback == "refuse", Log: log.Named("policy")})
}

// sipConfig is the SIP stack's part of the configuration.
func sipConfig(c *config.Config, ports *portpool.Pool, log *zap.Logger) sip.Config {
	out := sip.Config{
		Listen:         sipListeners(c.SIP),
		Accounts:       sipAccounts(c.Accounts),
		Direct:         c.SIP.AllowDirect,
		MinExpires:     c.SIP.Registration.MinExpires,
		MaxExpires:     c.SIP.Registration.MaxExpires,
		Network:        newNetworks(c.Networks).towards,
		Ports:          ports,
		Latching:       sip.Latching(c.RTP.Latching),
		Encryption:     sip.Encryption(c.RTP.Encryption),
		MediaTimeout:   c.RTP.Timeout,
		SessionExpires: c.SIP.SessionTimer,
		Limits:         sipLimits(c.Limits),
		UserAgent:      "roomgate/" + version,
		Camera:         &cameras,
		Log:            log,
	}
	if c.SIP.Domain != "" {
		out.Domains = []string{c.SIP.Domain}
	}
	if out.SessionExpires == 0 {
		out.SessionExpires = -1 // none
	}
	return out
}

func sipListeners(c config.SIP) []sip.Listener {
	var list []sip.Listener
	add := func(transport string, legacy bool, addresses config.Addresses) {
		for _, a := range addresses {
			list = append(list, sip.Listener{Transport: transport, Address: a, Legacy: legacy})
		}
	}
	add("udp", false, c.UDP)
	add("tcp", false, c.TCP)
	add("tls", false, c.TLS.Listen)
	add("tls", true, c.TLS.Legacy)
	return list
}

func sipAccounts(list []config.Account) []sip.Account {
	out := make([]sip.Account, 0, len(list))
	for _, a := range list {
		out = append(out, sip.Account{User: a.Username, Password: a.Password, Aliases: a.Aliases, Name: a.Name})
	}
	return out
}

// sipLimits leaves the count of calls to the gateway, which knows the limit
// that users set, but keeps the stack from holding more.
func sipLimits(c config.Limits) sip.Limits {
	const headroom = 100 // calls being refused
	out := sip.Limits{Calls: c.MaxCalls + headroom, PerSource: c.PerSource, Registrations: c.Registrations}
	if c.MaxCalls == 0 {
		out.Calls = 1 << 20
	}
	return out
}

// clockZone is where the time of day on screens is of; nil: it is not shown.
func clockZone(name string) *time.Location {
	if name == "" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil { // the configuration was checked
		return nil
	}
	return zone
}
