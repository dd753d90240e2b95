package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long the files must be left alone before they are read: a
// certificate and its key are two files.
const settle = 250 * time.Millisecond

// contents tells states of files apart: a digest for each path.
type contents map[string][sha256.Size]byte

// read takes the state of the files; a file that is missing is a state too.
func read(files []string) contents {
	c := contents{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			text = []byte(err.Error())
		}
		c[f] = sha256.Sum256(text)
	}
	return c
}

// differs reports whether a file known to both has changed.
func (c contents) differs(last contents) bool {
	for f, sum := range c {
		if known, ok := last[f]; ok && known != sum {
			return true
		}
	}
	return false
}

// watcher notices when the content of any of some files changes.
type watcher struct {
	files  []string
	notify *fsnotify.Watcher
}

// watch looks at the folders of the files: an editor, and Kubernetes, put a new
// file in the place of the old one.
func watch(files []string) (*watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	for _, f := range files {
		path, err := filepath.Abs(f)
		if err == nil {
			err = n.Add(filepath.Dir(path))
		}
		if err != nil {
			_ = n.Close()
			return nil, fmt.Errorf("watch configuration: %w", err)
		}
	}
	return &watcher{files: files, notify: n}, nil
}

func (w *watcher) close() { _ = w.notify.Close() }

// wait returns the new contents once they differ from last and have settled.
func (w *watcher) wait(ctx context.Context, last contents) (contents, error) {
	settled := time.After(settle) // something may have changed before the watch
	for {
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case _, open := <-w.notify.Events:
			if !open {
				return last, fsnotify.ErrClosed
			}
			settled = time.After(settle)
		case _, open := <-w.notify.Errors: // an overflow, which lost events
			if !open {
				return last, fsnotify.ErrClosed
			}
			settled = time.After(settle)
		case <-settled:
			settled = nil
			if now := read(w.files); now.differs(last) {
				return now, nil
			}
		}
	}
}
