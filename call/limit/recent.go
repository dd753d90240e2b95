package limit

import "container/list"

// recent is a map of bounded size that forgets the entry used longest ago.
// Not safe for concurrent use.
type recent[K comparable, V any] struct {
	size    int
	entries map[K]*list.Element
	order   list.List // front = used last
}

type entry[K comparable, V any] struct {
	key   K
	value *V
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{size: size, entries: make(map[K]*list.Element)}
}

// get returns the value of key, or nil, and marks it as used.
func (r *recent[K, V]) get(key K) *V {
	e, ok := r.entries[key]
	if !ok {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(entry[K, V]).value
}

// add stores a zero value under a key that is not present and returns it.
func (r *recent[K, V]) add(key K) *V {
	if r.order.Len() >= r.size {
		last := r.order.Back()
		delete(r.entries, last.Value.(entry[K, V]).key)
		r.order.Remove(last)
	}
	v := new(V)
	r.entries[key] = r.order.PushFront(entry[K, V]{key, v})
	return v
}

func (r *recent[K, V]) remove(key K) {
	if e, ok := r.entries[key]; ok {
		r.order.Remove(e)
		delete(r.entries, key)
	}
}

func (r *recent[K, V]) len() int { return r.order.Len() }
