package ratelimit

// Config is what a Keyed is made of. The zero value limits nothing.
type Config struct {
	// Limit is that of each key. Default: none.
	Limit Limit

	// Keys is how many keys are remembered, rounded up to a power of two, at
	// least 8. When more want a bucket at once, those closest to full are
	// forgotten. Default: 65,536.
	Keys int
}

// Keyed limits each key on its own: each address, each topic. It is safe for
// concurrent use.
//
// Its memory is bounded: for each of Config.Keys at most the key and ten bytes,
// and less while fewer come. A key whose bucket is full again takes no
// room from others. When there are more, a newcomer takes the place of the
// key whose bucket is closest to full among a few that chance put together,
// and [Stats].Evicted counts it.
//
// That a key is forgotten gives it at most its burst once more. An attacker
// with so many keys gains nothing by it: each of them has a burst anyway, and
// it takes a new key that passes to have one forgotten. And nobody is locked
// out: a flood of keys cannot make the table refuse others. What all keys
// together may do is for a limit over all to say, a Keyed[struct{}].
//
// A key is kept as it is given: a string must not point into a buffer that is
// used again, and whose length a client chooses must have been bounded.
type Keyed[K comparable] struct {
	// Immutable.
	limit Limit
	pace  pace
	table *table[K]
}

// NewKeyed returns a limiter. The error is that of [Limit.Validate].
func NewKeyed[K comparable](c Config) (*Keyed[K], error) {
	if err := c.Limit.Validate(); err != nil {
		return nil, err
	}
	return &Keyed[K]{limit: c.Limit, pace: c.Limit.pace(), table: newTable[K](c.Keys)}, nil
}

// Limit is that of each key.
func (k *Keyed[K]) Limit() Limit { return k.limit }

// Take asks for an event of a key that costs so much, 1 or its bytes, and
// takes that from the key's bucket if it passes. A cost below 1 is free. It
// does not allocate when the key is known.
func (k *Keyed[K]) Take(key K, cost int) Decision {
	return k.table.take(key, k.limit, k.pace, cost)
}

// Stats are the decisions so far and the keys. It looks at every place, and
// gives memory back that no key needs any more: call it every few seconds, not
// for every event.
func (k *Keyed[K]) Stats() Stats { return k.table.stats() }
