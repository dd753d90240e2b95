package client_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/client"
)

// TestEveryOperationHasAMethod calls every method of the client, and wants every
// operation of the OpenAPI document to be among what it asks for, and the other
// way round.
func TestEveryOperationHasAMethod(t *testing.T) {
	operations := described(t)
	var lock sync.Mutex
	asked := map[string]string{} // by "METHOD path": who asked
	var method string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		asked[r.Method+" "+r.URL.Path] = method
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	c := reflect.ValueOf(client.New(server.URL, "key", server.Client()))
	for i := range c.NumMethod() {
		lock.Lock()
		method = c.Type().Method(i).Name
		lock.Unlock()
		for _, yes := range []bool{true, false} { // verbs come in pairs
			c.Method(i).Call(arguments(t, c.Method(i).Type(), yes))
		}
	}
	known := map[string]bool{}
	for name, operation := range operations {
		found := false
		for request := range asked {
			if operation.MatchString(request) {
				known[request], found = true, true
			}
		}
		assert.True(t, found, "no method for %s", name)
	}
	for request, by := range asked {
		assert.True(t, known[request], "%s asks for %s, which is not in the API", by, request)
	}
}

// described lists the operations of the OpenAPI document, and what requests of
// them look like.
func described(t *testing.T) map[string]*regexp.Regexp {
	text, err := os.ReadFile("../api/testdata/openapi.json")
	require.NoError(t, err)
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	out := map[string]*regexp.Regexp{}
	for path, verbs := range doc.Paths {
		for verb := range verbs {
			name := strings.ToUpper(verb) + " " + path
			form := regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(name), "segment")
			out[name] = regexp.MustCompile("^" + form + "$")
		}
	}
	require.NotEmpty(t, out)
	return out
}

// arguments makes something of each type that a method takes.
func arguments(t *testing.T, f reflect.Type, yes bool) []reflect.Value {
	var out []reflect.Value
	for i := range f.NumIn() {
		in := f.In(i)
		switch {
		case in.Kind() == reflect.String:
			out = append(out, reflect.ValueOf("segment"))
		case in.Kind() == reflect.Bool:
			out = append(out, reflect.ValueOf(yes))
		case in == reflect.TypeFor[context.Context]():
			out = append(out, reflect.ValueOf(t.Context()))
		case in == reflect.TypeFor[io.Writer]():
			out = append(out, reflect.ValueOf(io.Discard))
		case in == reflect.TypeFor[io.Reader]():
			out = append(out, reflect.ValueOf(strings.NewReader("name\n")))
		default:
			out = append(out, reflect.Zero(in))
		}
	}
	return out
}
