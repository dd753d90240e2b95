package phonebook_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/phonebook"
)

var update = flag.Bool("update", false, "write the golden files")

// Documents are as they were looked at once, by the definitions of their makers.
func TestDocuments(t *testing.T) {
	at := url.URL{Scheme: "https", Host: "gw.example.vn", Path: "/phonebook/cisco.xml", RawQuery: "lang=en&q=hop"}
	lines := []phonebook.Line{
		{Name: `Phòng <A> & "B"`, Numbers: []string{"5001", "+842363888999"}, SIP: []string{"a@hop.vn"}, H323: []string{"A-HDX"}},
		{Name: strings.Repeat("ộ", 70), H323: []string{"192.0.2.9"}},
		{Name: "Xã\x00\v 1", SIP: []string{"xa1@hop.vn"}},
	}
	for name, make := range map[string]func() ([]byte, error){
		"cisco-menu.xml":      func() ([]byte, error) { return phonebook.CiscoMenu(at, "vi") },
		"cisco-directory.xml": func() ([]byte, error) { return phonebook.Cisco(lines, "abc", at, "en") },
		"cisco-empty.xml":     func() ([]byte, error) { return phonebook.Cisco(nil, "", at, "vi") },
		"cisco-input.xml":     func() ([]byte, error) { return phonebook.CiscoSearch(at, "vi") },
		"yealink.xml":         func() ([]byte, error) { return phonebook.Yealink(lines) },
	} {
		got, err := make()
		require.NoError(t, err, name)
		file := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(file, got, 0o600))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), name)
		reader := xml.NewDecoder(bytes.NewReader(got))
		for err == nil {
			_, err = reader.Token()
		}
		assert.True(t, errors.Is(err, io.EOF), "%s: %v", name, err)
	}
}
