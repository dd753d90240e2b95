package config

import "time"

// Default is the configuration of a start without a file.
func Default() *Config {
	return &Config{
		SIP: SIP{
			UDP:          Addresses{":5060"},
			TCP:          Addresses{":5060"},
			TLS:          SIPTLS{Listen: Addresses{":5061"}, MinVersion: "1.2"},
			AllowDirect:  true,
			SessionTimer: 30 * time.Minute,
			Registration: Registration{MinExpires: time.Minute, MaxExpires: time.Hour},
		},
		H323: H323{
			RAS:         Addresses{":1719"},
			Signalling:  Addresses{":1720"},
			AllowDirect: true, Tunnelling: true, FastStart: "answer",
			Gatekeeper: Gatekeeper{ID: "roomgate", Mode: "routed", Registration: "open", TimeToLive: time.Minute, Discovery: true, Traversal: true},
		},
		RTP: RTP{
			Ports:      PortRange{Low: 20000, High: 29999},
			Latching:   "auto",
			Encryption: "prefer",
			Timeout:    time.Minute,
		},
		SFU: SFU{
			Embedded:   true,
			PhoneAudio: "opus",
			Ports:      SFUPorts{Signalling: 7880, TCP: 7881, UDP: 7882},
		},
		HTTP: HTTP{
			Listen: Addresses{":8080"},
			TLS:    HTTPTLS{Listen: Addresses{":8443"}},
		},
		Video:        Video{Worker: "auto", Simulcast: "auto"},
		Meetings:     Meetings{AutoCreate: true, DefaultLayout: "auto", Keypad: true, EarlyJoin: 10 * time.Minute, LectureTurn: 10 * time.Second, Banners: true},
		Lobby:        Lobby{Alias: []string{"lobby"}, Language: "ask", Tries: 3, Tones: true, Names: "off"},
		Limits:       Limits{MaxCalls: 1000, PerSource: 200, Registrations: 20000, APIRequests: 1200},
		DialPlan:     DialPlan{Country: "VN", Policy: Policy{Timeout: 500 * time.Millisecond, Fallback: "rules"}},
		DrainTimeout: time.Minute,
		Log:          Log{Level: "info", Format: "console"},
		PhoneBook:    PhoneBook{Base: "dc=roomgate", RequireTLS: true},
		LDAPSync:     LDAPSync{Schema: "h350"},
		Telemetry:    Telemetry{Sample: 100},
	}
}
