package pertest

import (
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/roomgate/roomgate/h323/per"
)

// RoundTrip fills a new value of zero's type at random, encodes it, and tells how
// what is decoded, or encoded again, differs.
func RoundTrip(zero any, seed uint64, unknown bool) error {
	filler := Filler{Rand: rand.New(rand.NewPCG(seed, 1)), Unknown: unknown}
	value := reflect.New(reflect.TypeOf(zero)).Interface()
	if err := filler.Fill(value); err != nil {
		return err
	}
	data, err := per.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding %+v: %w", value, err)
	}
	back := reflect.New(reflect.TypeOf(zero)).Interface()
	if err := per.Unmarshal(data, back); err != nil {
		return fmt.Errorf("decoding %x: %w", data, err)
	}
	if !reflect.DeepEqual(value, back) {
		return fmt.Errorf("%x decodes to %+v, was %+v", data, back, value)
	}
	return Stable(data, zero)
}

// Stable decodes what may be nonsense. What decodes must encode, and its encoding
// must decode to the same and encode to itself.
func Stable(data []byte, zero any) error {
	first := reflect.New(reflect.TypeOf(zero)).Interface()
	if _, err := per.Decode(data, first); err != nil {
		return nil
	}
	once, err := per.Marshal(first)
	if err != nil {
		return fmt.Errorf("%x decodes but does not encode: %w", data, err)
	}
	second := reflect.New(reflect.TypeOf(zero)).Interface()
	if err := per.Unmarshal(once, second); err != nil {
		return fmt.Errorf("%x encodes to %x: %w", data, once, err)
	}
	if !reflect.DeepEqual(first, second) {
		return fmt.Errorf("%x and its encoding %x differ", data, once)
	}
	twice, err := per.Marshal(second)
	if err != nil || string(twice) != string(once) {
		return fmt.Errorf("%x encodes to %x, then to %x (%w)", data, once, twice, err)
	}
	return nil
}
