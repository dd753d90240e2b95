package worker

import (
	"fmt"
	"net"
	"os"

	"github.com/roomgate/roomgate/transcode/video/engine"
)

// Connection is the file descriptor over which the gateway speaks.
const Connection = 3

// Main is the process: it bounds itself, then serves the gateway that started
// it.
func Main() error {
	if err := beNice(); err != nil {
		return err
	}
	file := os.NewFile(Connection, "gateway")
	conn, err := net.FileConn(file)
	if err != nil {
		return fmt.Errorf("not started by a gateway: %w", err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	obeyLease()
	if err := engine.Warm(); err != nil {
		return err
	}
	if err := confine(); err != nil {
		return err
	}
	return Serve(conn)
}
