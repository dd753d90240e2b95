package rtpconn

// empty reports whether no key frame request waits for the upkeep.
func (k *keyframes) empty() bool {
	k.Lock()
	defer k.Unlock()
	return k.wanted == 0
}
