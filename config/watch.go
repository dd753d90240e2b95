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

// watcher notices when the content of any of some files changes.
type watcher struct {
	files  []string
	digest [sha256.Size]byte
	notify *fsnotify.Watcher
}

func watch(files []string) (*watcher, error) {
	files, err := absolute(files)
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	for _, f := range files {
		if err := n.Add(filepath.Dir(f)); err != nil {
			_ = n.Close()
			return nil, fmt.Errorf("watch configuration: %w", err)
		}
	}
	return &watcher{files: files, digest: digest(files), notify: n}, nil
}

func (w *watcher) close() { _ = w.notify.Close() }

// wait returns nil when the content has changed and settled.
func (w *watcher) wait(ctx context.Context) error {
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, open := <-w.notify.Events:
			if !open {
				return fsnotify.ErrClosed
			}
			settled = time.After(settle)
		case err, open := <-w.notify.Errors:
			if !open {
				return fsnotify.ErrClosed
			}
			// An overflow of the queue lost events: look at the files.
			_ = err
			settled = time.After(settle)
		case <-settled:
			settled = nil
			if digest(w.files) != w.digest {
				return nil
			}
		}
	}
}

// digest tells two states of the files apart; a file that is missing counts as
// such.
func digest(files []string) [sha256.Size]byte {
	h := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f)
		_, _ = fmt.Fprintf(h, "%s %d %t\n", f, len(text), err == nil)
		_, _ = h.Write(text)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
