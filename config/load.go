package config

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// Load reads the configuration from file, or from defaults and the environment
// alone when file is "". The error is of type Problems when the content is at
// fault.
func Load(file string) (*Config, error) {
	l := loader{file: file, sources: sources{}}
	return l.load()
}

// loader carries what one Load gathers on its way through the layers.
type loader struct {
	file     string
	layers   *viper.Viper
	sources  sources
	problems Problems
	warnings []string
}

func (l *loader) load() (*Config, error) {
	l.layers = viper.New()
	l.defaults()
	if err := l.yaml(); err != nil {
		return nil, err
	}
	l.environment()
	if len(l.problems) > 0 {
		return nil, l.problems
	}

	c := &Config{Warnings: l.warnings}
	err := l.layers.Unmarshal(c, viper.DecodeHook(decodeText), func(dc *mapstructure.DecoderConfig) {
		dc.TagName = "key"
		dc.ErrorUnused = true
	})
	if err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	l.secrets(c)
	if l.sources["h323.gatekeeper.registration"] == "" && !c.H323.AllowDirect {
		c.H323.Gatekeeper.Registration = "accounts" // who may not call may not register either
	}
	complete(c, l.file)
	l.problems = append(l.problems, Validate(c)...)
	for i, p := range l.problems {
		if p.Source == "" {
			l.problems[i].Source = cmp.Or(l.sources.of(p.Key), l.sources.of(p.rival))
		}
	}
	if len(l.problems) > 0 {
		l.problems.sort()
		return nil, l.problems
	}
	c.Warnings = append(c.Warnings, cautions(c)...)
	return c, nil
}

// cautions are what is possible and seldom meant.
func cautions(c *Config) (list []string) {
	sync := c.LDAPSync
	if u, err := url.Parse(sync.URL); err == nil && u.Scheme == "ldap" && !sync.StartTLS && sync.BindDN != "" && !local(u.Hostname()) {
		list = append(list, "ldap_sync.url: the password goes to "+u.Host+" in the clear; ldaps:// or start_tls encrypts it")
	}
	return list
}

// local reports whether a host is this machine.
func local(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (l *loader) defaults() {
	d := Default()
	d.Meetings.AutoCreate = l.file == ""
	for _, leaf := range leaves(reflect.ValueOf(*d)) {
		l.layers.SetDefault(leaf.path, leaf.value.Interface())
	}
}

func (l *loader) yaml() error {
	if l.file == "" {
		return nil
	}
	text, err := os.ReadFile(l.file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	name := filepath.Base(l.file)
	d := document{source: func(line int) string { return fmt.Sprintf("%s:%d", name, line) }, sources: l.sources}
	values := d.parse(text, reflect.TypeFor[Config]())
	l.problems = d.problems
	if len(d.problems) > 0 {
		return nil
	}
	if err := l.layers.MergeConfigMap(values); err != nil {
		return fmt.Errorf("merge configuration: %w", err)
	}
	return nil
}

// environment binds every key by name and checks what is set.
func (l *loader) environment() {
	known := map[string]bool{}
	for _, leaf := range leaves(reflect.ValueOf(Config{})) {
		name := EnvName(leaf.path)
		known[name] = true
		// BindEnv fails only without a key.
		_ = l.layers.BindEnv(leaf.path, name)
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		if _, err := parseEnv(leaf.field, text); err != nil {
			l.problems.add(name, leaf.path, "%v", err)
		}
		l.sources[leaf.path] = name
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "ROOMGATE_") && !known[name] {
			l.warnings = append(l.warnings, fmt.Sprintf("environment variable %s is not a key of the configuration", name))
		}
	}
	slices.Sort(l.warnings)
}

// decodeText lets environment variables, which are text, fill typed fields.
func decodeText(from, to reflect.Type, data any) (any, error) {
	text, isText := data.(string)
	if !isText || to.Kind() == reflect.String {
		return data, nil
	}
	return parseEnv(field{typ: to}, text)
}

// complete fills in what depends on other keys or on the surroundings.
func complete(c *Config, file string) {
	if file != "" {
		c.Files = append(c.Files, file)
	}
	for _, f := range []string{c.SIP.TLS.Cert, c.SIP.TLS.Key, c.HTTP.TLS.Cert, c.HTTP.TLS.Key} {
		if f != "" && !slices.Contains(c.Files, f) {
			c.Files = append(c.Files, f)
		}
	}
	for _, list := range c.listeners() {
		for i, a := range *list.addresses {
			if strings.HasPrefix(a, ":") && c.Listen.Address.IsValid() {
				(*list.addresses)[i] = joinHostPort(c.Listen.Address, a)
			}
		}
	}
	if c.DataDir == "" {
		c.DataDir = "data"
		// systemd separates several directories by colons.
		if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
			c.DataDir = dir
		}
	}
}
