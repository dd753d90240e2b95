// Package videotest builds the video worker for tests of other packages.
package videotest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/roomgate/roomgate/transcode/video"
)

// build leaves the program in a place of the machine's own, for the tests of
// other packages to find again; its linking is what takes time.
var build = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "../../..")
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("roomgate-video-%d-%x", os.Getuid(), sha256.Sum256([]byte(root)))[:40])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	fresh := filepath.Join(dir, fmt.Sprintf("build-%d", os.Getpid()))
	cmd := exec.Command("go", "build", "-o", fresh, "./cmd/roomgate-video")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "roomgate-video")
	return program, os.Rename(fresh, program) // those that run keep the old one
})

// Program is the path of a worker built from this source.
func Program(t testing.TB) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal("the video worker cannot be built; make setup installs what it needs: ", err)
	}
	return program
}

// Pool is a pool of one process that ends with the test.
func Pool(t testing.TB) *video.Pool {
	t.Helper()
	p := video.NewPool(video.Config{Program: Program(t), Processes: 1})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
