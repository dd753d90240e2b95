package api

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// forward passes the meeting server's signalling on: /rtc and what is below it,
// the WebSocket included, and nothing else of that server.
func (a *API) forward() http.Handler {
	transport := &http.Transport{
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: 15 * time.Second,
	}
	log, err := zap.NewStdLogAt(a.log.Named("sfu"), zapcore.DebugLevel)
	if err != nil { // the level is known
		log = zap.NewStdLog(a.log)
	}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  log,
		Rewrite: func(r *httputil.ProxyRequest) {
			if to := a.SFU(); to != nil {
				r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host})
			}
			r.Out.Host = r.In.Host
			r.SetXForwarded()
			if who := clientOf(r.In.Context()); who.address.IsValid() {
				r.Out.Header.Set("X-Forwarded-For", who.address.String())
			}
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			a.log.Debug("meeting server did not answer", zap.Error(err))
			writeProblem(w, http.StatusBadGateway, "the meeting server does not answer")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.SFU() == nil {
			writeProblem(w, http.StatusBadGateway, "the meeting server is not running")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}
