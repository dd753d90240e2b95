package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/roomgate/roomgate/config"
)

// Bounds of the web servers. Reading a body may take readTimeout; writing has
// no bound of its own, since event streams last: they set a deadline at every
// event.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	headerBytes   = 32 << 10
	goodbye       = 5 * time.Second // for requests in progress at the end
)

// webServer serves one handler on all HTTP and HTTPS listeners.
type webServer struct {
	server    *http.Server
	listeners []net.Listener
	stop      context.CancelFunc // ends event streams
}

// listenWeb binds all listeners, or none.
func listenWeb(c config.HTTP, identity *tls.Config, handler http.Handler, log *zap.Logger) (*webServer, error) {
	streams, stop := context.WithCancel(context.Background())
	errorLog, err := zap.NewStdLogAt(log.Named("http"), zapcore.DebugLevel)
	if err != nil {
		stop()
		return nil, err
	}
	w := &webServer{stop: stop, server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          errorLog,
		BaseContext:       func(net.Listener) context.Context { return streams },
	}}
	bind := func(key string, addresses config.Addresses, wrap func(net.Listener) net.Listener) error {
		for _, a := range addresses {
			l, err := net.Listen("tcp", a)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			w.listeners = append(w.listeners, wrap(l))
		}
		return nil
	}
	err = errors.Join(
		bind("http.listen", c.Listen, func(l net.Listener) net.Listener { return l }),
		bind("http.tls.listen", c.TLS.Listen, func(l net.Listener) net.Listener { return tls.NewListener(l, identity) }),
	)
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *webServer) close() {
	w.stop()
	for _, l := range w.listeners {
		_ = l.Close()
	}
}

// run serves until ctx ends, then lets requests in progress finish.
func (w *webServer) run(ctx context.Context) error {
	defer w.close()
	failed := make(chan error, len(w.listeners))
	for _, l := range w.listeners {
		go func() { failed <- w.server.Serve(l) }()
	}
	var err error
	waiting := len(w.listeners)
	select {
	case <-ctx.Done():
	case err = <-failed:
		waiting--
		err = fmt.Errorf("http: %w", err)
	}
	w.stop()
	grace, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if w.server.Shutdown(grace) != nil {
		_ = w.server.Close()
	}
	for range waiting {
		<-failed
	}
	return err
}
