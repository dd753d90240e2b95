package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// secret is a value that may stand in a file of its own.
type secret struct {
	key   string
	value *string
	file  string
}

func (c *Config) secrets() []secret {
	list := []secret{
		{"sfu.api_key", &c.SFU.APIKey, c.SFU.APIKeyFile},
		{"sfu.api_secret", &c.SFU.APISecret, c.SFU.APISecretFile},
		{"database.url", &c.Database.URL, c.Database.URLFile},
		{"dial_plan.policy.secret", &c.DialPlan.Policy.Secret, c.DialPlan.Policy.SecretFile},
		{"secret_key", &c.SecretKey, c.SecretKeyFile},
		{"h323.register.password", &c.H323.Register.Password, c.H323.Register.PasswordFile},
		{"ldap_sync.password", &c.LDAPSync.Password, c.LDAPSync.PasswordFile},
		{"admin.api_key", &c.Admin.APIKey, c.Admin.APIKeyFile},
	}
	for i := range c.Accounts {
		a := &c.Accounts[i]
		list = append(list, secret{fmt.Sprintf("accounts[%d].password", i), &a.Password, a.PasswordFile})
	}
	return list
}

// secrets reads the files that hold secrets.
func (l *loader) secrets(c *Config) {
	for _, s := range c.secrets() {
		if s.file == "" {
			continue
		}
		key := s.key + "_file"
		if *s.value != "" {
			l.problems.add("", key, "%s is given too; keep one of them", s.key)
			continue
		}
		text, err := os.ReadFile(s.file)
		if err != nil {
			l.problems.add("", key, "%v", err)
			continue
		}
		*s.value = strings.TrimRight(string(text), "\r\n")
		if *s.value == "" {
			l.problems.add("", key, "%s is empty", s.file)
		}
		c.Files = append(c.Files, s.file)
	}
}

// listener is a key that says where to listen.
type listener struct {
	key       string
	network   string // "udp" or "tcp"
	addresses *Addresses
}

func (c *Config) listeners() []listener {
	return []listener{
		{"sip.udp", "udp", &c.SIP.UDP},
		{"sip.tcp", "tcp", &c.SIP.TCP},
		{"sip.tls.listen", "tcp", &c.SIP.TLS.Listen},
		{"sip.tls.legacy", "tcp", &c.SIP.TLS.Legacy},
		{"h323.ras", "udp", &c.H323.RAS},
		{"h323.signalling", "tcp", &c.H323.Signalling},
		{"http.listen", "tcp", &c.HTTP.Listen},
		{"http.tls.listen", "tcp", &c.HTTP.TLS.Listen},
		{"phonebook.ldap", "tcp", &c.PhoneBook.LDAP},
		{"phonebook.ldaps", "tcp", &c.PhoneBook.LDAPS},
	}
}

// joinHostPort puts a host before ":PORT".
func joinHostPort(host netip.Addr, port string) string {
	return net.JoinHostPort(host.String(), strings.TrimPrefix(port, ":"))
}
