package api

import (
	"errors"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/phonebook"
)

// yealinkLines bounds a phone book that is read whole.
const yealinkLines = 5000

// phoneBook serves phone books to phones, which log in as an endpoint by HTTP Basic
// (RFC 7617), or are of a network that may read.
func (a *API) phoneBook() {
	a.router.Get("/phonebook/cisco.xml", a.reading(func(r *http.Request, who phonebook.Reader, language string) ([]byte, error) {
		at := clientOf(r.Context()).origin
		at.Path, at.RawQuery = r.URL.Path, r.URL.RawQuery
		q := r.URL.Query()
		if q.Get("search") != "" {
			return phonebook.CiscoSearch(at, language)
		}
		lines, next, err := a.PhoneBook.Page(who, q.Get("q"), q.Get("cursor"), phonebook.CiscoLines)
		if err != nil {
			return nil, err
		}
		return phonebook.Cisco(lines, next, at, language)
	}))
	a.router.Get("/phonebook/cisco-menu.xml", a.reading(func(r *http.Request, _ phonebook.Reader, language string) ([]byte, error) {
		at := clientOf(r.Context()).origin
		at.Path = "/phonebook/cisco.xml"
		return phonebook.CiscoMenu(at, language)
	}))
	a.router.Get("/phonebook/yealink.xml", a.reading(func(r *http.Request, who phonebook.Reader, _ string) ([]byte, error) {
		lines, _, err := a.PhoneBook.Page(who, r.URL.Query().Get("q"), "", yealinkLines)
		if err != nil {
			return nil, err
		}
		return phonebook.Yealink(lines)
	}))
}

// reading lets those read who may.
func (a *API) reading(page func(*http.Request, phonebook.Reader, string) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := clientOf(r.Context())
		who, ok := a.PhoneBook.Anonymous(from.address)
		if user, password, given := r.BasicAuth(); given {
			if wait, spent := a.failures.spent(from.address); spent {
				w.Header().Set("Retry-After", seconds(wait))
				writeProblem(w, http.StatusTooManyRequests, "too many wrong passwords from this address")
				return
			}
			if from.origin.Scheme != "https" && a.PhoneBookTLS() {
				writeProblem(w, http.StatusForbidden, "passwords are taken over HTTPS alone")
				return
			}
			if who, ok = a.PhoneBook.Login(user, password); !ok {
				a.failures.take(from.address)
			}
		}
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="roomgate", charset="UTF-8"`)
			writeProblem(w, http.StatusUnauthorized, "the user name and password of an endpoint are needed")
			return
		}
		language := "vi"
		if strings.HasPrefix(r.URL.Query().Get("lang"), "en") {
			language = "en"
		}
		text, err := page(r, who, language)
		switch {
		case errors.Is(err, directory.ErrCursor):
			writeProblem(w, http.StatusUnprocessableEntity, err.Error())
		case err != nil:
			a.log.Error("phone book not read", zap.Error(err))
			writeProblem(w, http.StatusInternalServerError, "the request failed; the log of the gateway says why")
		default:
			w.Header().Set("Content-Type", "text/xml; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(text) // the phone may be gone
		}
	}
}
