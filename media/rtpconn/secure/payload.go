package secure

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// PayloadKey is an AES key of 128 or 256 bits for the payload of one stream, as H.323
// terminals encrypt media (ITU-T H.235.6). Nothing is authenticated.
type PayloadKey []byte

// Validate checks the length.
func (k PayloadKey) Validate() error {
	if len(k) != 16 && len(k) != 32 {
		return fmt.Errorf("payload key: %d octets, want 16 or 32", len(k))
	}
	return nil
}

// String never shows the key.
func (k PayloadKey) String() string { return fmt.Sprintf("AES-%d-CBC", 8*len(k)) }

// GoString keeps the key out of %#v.
func (k PayloadKey) GoString() string { return "secure.PayloadKey{" + k.String() + "}" }

// Payload encrypts or decrypts the payload of RTP packets with AES in CBC mode (H.235.6).
// The initial value is the packet's sequence number and timestamp, over and over:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     sequence number           |      timestamp ...            |
//	|        ... timestamp          |     sequence number           |
//	|                           timestamp                           |
//	|     sequence number           |      timestamp, first half    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A payload that is no multiple of 16 octets is padded as RTP pads (P bit, RFC 3550
// §5.1), or its last two blocks are put together by ciphertext stealing. We send the
// former and take both.
//
// It must be used by one goroutine at a time.
type Payload struct {
	key   PayloadKey
	block cipher.Block
	enc   mode
	dec   mode
	iv    [aes.BlockSize]byte
	tail  [2 * aes.BlockSize]byte // scratch of the stealing
}

// mode is CBC whose initial value can be set anew, so that nothing is allocated.
type mode interface {
	cipher.BlockMode
	SetIV([]byte)
}

// ErrPayload is returned for a packet that cannot have been encrypted with the key.
var ErrPayload = errors.New("payload does not decrypt")

// NewPayload makes a cipher.
func NewPayload(k PayloadKey) (*Payload, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	p := &Payload{key: bytes.Clone(k), block: block}
	var ok [2]bool
	p.enc, ok[0] = cipher.NewCBCEncrypter(block, p.iv[:]).(mode)
	p.dec, ok[1] = cipher.NewCBCDecrypter(block, p.iv[:]).(mode)
	if !ok[0] || !ok[1] {
		return nil, errors.New("payload key: the cipher does not take an initial value per packet")
	}
	return p, nil
}

// Key is the key of the cipher.
func (p *Payload) Key() PayloadKey { return p.key }

const (
	paddingBit   = 0x20
	extensionBit = 0x10
)

// Seal encrypts the RTP packet in buf, in place; buf needs 16 more octets of capacity.
func (p *Payload) Seal(buf []byte) ([]byte, error) {
	at, ok := payloadAt(buf)
	if !ok || buf[0]&paddingBit != 0 {
		return nil, ErrPayload
	}
	if rest := (len(buf) - at) % aes.BlockSize; rest != 0 {
		n := aes.BlockSize - rest
		for range n {
			buf = append(buf, byte(n))
		}
		buf[0] |= paddingBit
	}
	p.begin(buf)
	p.enc.SetIV(p.iv[:])
	p.enc.CryptBlocks(buf[at:], buf[at:])
	return buf, nil
}

// Open decrypts an RTP packet into dst, which must not share memory with wire. Of the
// padding only the last octet is looked at, which counts it: some products leave
// anything in the others.
func (p *Payload) Open(dst, wire []byte) ([]byte, error) {
	at, ok := payloadAt(wire)
	n := len(wire) - at
	if !ok || n < aes.BlockSize {
		return nil, ErrPayload
	}
	p.begin(wire)
	dst = append(dst[:0], wire...)
	body := dst[at:]
	padded := wire[0]&paddingBit != 0
	switch {
	case n%aes.BlockSize == 0:
		p.dec.SetIV(p.iv[:])
		p.dec.CryptBlocks(body, body)
	case padded:
		return nil, ErrPayload
	default:
		p.steal(body)
	}
	if !padded {
		return dst, nil
	}
	count := int(dst[len(dst)-1])
	if count == 0 || count > aes.BlockSize {
		return nil, ErrPayload
	}
	dst[0] &^= paddingBit
	return dst[:len(dst)-count], nil
}

// steal decrypts blocks of which the last is not whole: that one is the beginning of
// what the one before was chained with.
func (p *Payload) steal(body []byte) {
	const size = aes.BlockSize
	rest := len(body) % size
	whole := len(body) - rest - size // what is plain CBC
	var before [size]byte
	copy(before[:], p.iv[:])
	if whole > 0 {
		copy(before[:], body[whole-size:whole])
		p.dec.SetIV(p.iv[:])
		p.dec.CryptBlocks(body[:whole], body[:whole])
	}
	last, stolen := p.tail[:size], p.tail[size:]
	p.block.Decrypt(last, body[whole:whole+size])
	copy(stolen, last)
	copy(stolen, body[whole+size:])
	for i := range rest {
		body[whole+size+i] ^= last[i]
	}
	p.block.Decrypt(last, stolen)
	for i := range size {
		body[whole+i] = last[i] ^ before[i]
	}
}

// begin works out the initial value of a packet.
func (p *Payload) begin(packet []byte) {
	for i := range p.iv {
		p.iv[i] = packet[2+i%6]
	}
}

// payloadAt finds where the payload begins: behind the header, its list of contributing
// sources and its extension.
func payloadAt(b []byte) (at int, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return 0, false
	}
	at = 12 + 4*int(b[0]&0x0f)
	if b[0]&extensionBit != 0 {
		if len(b) < at+4 {
			return 0, false
		}
		at += 4 + 4*(int(b[at+2])<<8|int(b[at+3]))
	}
	return at, at <= len(b)
}
