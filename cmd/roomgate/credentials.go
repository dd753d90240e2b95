package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/config"
)

// keyFile holds the hash of the API key that was made at the first start.
const keyFile = "api-key.sha256"

// keyHash is the hash of the API key in force: that of the configuration, or
// the one kept in the data directory.
func keyHash(c *config.Config) (api.KeyHash, error) {
	if c.Admin.APIKey != "" {
		return api.HashKey(c.Admin.APIKey), nil
	}
	var hash api.KeyHash
	text, err := os.ReadFile(filepath.Join(c.DataDir, keyFile))
	if err != nil {
		return hash, fmt.Errorf("admin.api_key is not set: %w", err)
	}
	if err := hash.UnmarshalText(text); err != nil {
		return hash, fmt.Errorf("%s: %w", filepath.Join(c.DataDir, keyFile), err)
	}
	return hash, nil
}

// firstKey is keyHash for the start: where there is no key at all it makes one,
// and returns it to be shown this once.
func firstKey(c *config.Config) (hash api.KeyHash, made string, err error) {
	hash, err = keyHash(c)
	if !errors.Is(err, fs.ErrNotExist) {
		return hash, "", err
	}
	made = api.NewKey()
	hash = api.HashKey(made)
	text, err := hash.MarshalText()
	if err != nil {
		return hash, "", err
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return hash, "", fmt.Errorf("keep API key: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.DataDir, keyFile), append(text, '\n'), 0o600); err != nil {
		return hash, "", fmt.Errorf("keep API key: %w", err)
	}
	return hash, made, nil
}
