// Package seal encrypts the secrets that have to be kept readable: digest
// (RFC 8760), H.235.1 and CAT need the password itself. XChaCha20-Poly1305 with
// random nonces, which are long enough never to meet; what a secret belongs to
// is authenticated with it, so that one cannot be put in another's place.
//
//	v1.<key id>.<base64url of nonce and ciphertext>
package seal

import (
	"bufio"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of Open.
var (
	ErrUnknownKey = errors.New("sealed with a key that is not here")
	ErrDamaged    = errors.New("sealed text is damaged, or of another place")
)

const version = "v1"

// Keyring holds the key in use and those before it. Safe for concurrent use.
type Keyring struct {
	current string
	keys    map[string]cipher.AEAD
}

// Parse reads keys of 32 bytes in base64 or hexadecimal, separated by commas or
// white space: the first seals, all open.
func Parse(text string) (*Keyring, error) {
	k := &Keyring{keys: make(map[string]cipher.AEAD)}
	for i, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		raw, err := decode(word)
		if err != nil {
			return nil, fmt.Errorf("secret key %d: %w", i+1, err)
		}
		aead, err := chacha20poly1305.NewX(raw)
		if err != nil {
			return nil, fmt.Errorf("secret key %d: %w", i+1, err)
		}
		sum := sha256.Sum256(append([]byte("roomgate key id\x00"), raw...))
		id := hex.EncodeToString(sum[:4])
		k.keys[id] = aead
		if k.current == "" {
			k.current = id
		}
	}
	if k.current == "" {
		return nil, errors.New("secret key: there is none")
	}
	return k, nil
}

func decode(word string) ([]byte, error) {
	if raw, err := hex.DecodeString(word); err == nil && len(raw) == chacha20poly1305.KeySize {
		return raw, nil
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := e.DecodeString(word); err == nil && len(raw) == chacha20poly1305.KeySize {
			return raw, nil
		}
	}
	return nil, errors.New("not 32 bytes in base64 or hexadecimal")
}

// NewKey makes a key as Parse reads it.
func NewKey() string {
	var raw [chacha20poly1305.KeySize]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.StdEncoding.EncodeToString(raw[:])
}

// File reads the keys of a file, one a line, # begins a comment; where there is
// no file it makes one with a new key, for its owner alone.
func File(name string) (*Keyring, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = create(name)
	}
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	var words strings.Builder
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words.WriteString(line + "\n")
	}
	k, err := Parse(words.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return k, nil
}

// create makes a key file that is whole or not there, on the disk: what is
// sealed with a lost key is lost.
func create(name string) ([]byte, error) {
	text := []byte("# Opens the passwords in the database: keep a copy elsewhere. The first key seals, all open.\n" + NewKey() + "\n")
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".secret-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), name); errors.Is(err, fs.ErrExist) {
		return os.ReadFile(name) // another process was faster
	} else if err != nil {
		return nil, err
	}
	return text, nil
}

// Seal encrypts a secret for a place, such as "endpoint/ID/password". An empty
// secret stays empty.
func (k *Keyring) Seal(secret, place string) string {
	if secret == "" {
		return ""
	}
	aead := k.keys[k.current]
	box := make([]byte, aead.NonceSize(), aead.NonceSize()+len(secret)+aead.Overhead())
	_, _ = rand.Read(box) // never fails
	box = aead.Seal(box, box, []byte(secret), []byte(place))
	return version + "." + k.current + "." + base64.RawURLEncoding.EncodeToString(box)
}

// Open gives the secret that Seal made for the same place.
func (k *Keyring) Open(sealed, place string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	v, rest, _ := strings.Cut(sealed, ".")
	id, text, ok := strings.Cut(rest, ".")
	if !ok || v != version {
		return "", ErrDamaged
	}
	aead, ok := k.keys[id]
	if !ok {
		return "", fmt.Errorf("%w: key %s", ErrUnknownKey, id)
	}
	box, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(box) < aead.NonceSize() {
		return "", ErrDamaged
	}
	secret, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], []byte(place))
	if err != nil {
		return "", ErrDamaged
	}
	return string(secret), nil
}

// Stale reports whether a text was sealed with a key before the current one.
func (k *Keyring) Stale(sealed string) bool {
	return sealed != "" && !strings.HasPrefix(sealed, version+"."+k.current+".")
}
