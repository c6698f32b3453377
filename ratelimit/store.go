package ratelimit

import "context"

// Store keeps buckets by name, on this node or for several. It is safe for
// concurrent use. ratelimittest.Run is the suite that every Store must pass.
type Store interface {
	// Take asks for an event of a key that costs so much, and takes that from
	// the key's bucket if it passes. A cost below 1 is free. A key is used
	// with one limit; when that changes, it holds from the next event on.
	//
	// An error says that there is no decision: the limit is impossible
	// (ErrImpossible), ctx is done, or the store is out of reach. It is not a
	// refusal; a caller who has local limits, too, lets the event pass.
	Take(ctx context.Context, key string, l Limit, cost int) (Decision, error)
}

// Memory is the Store of this node alone. It remembers keys as a [Keyed] does.
type Memory struct{ table *table[string] }

// NewMemory returns a store that remembers so many keys, rounded up to a power
// of two; 0 is DefaultKeys.
func NewMemory(keys int) *Memory { return &Memory{newTable[string](keys)} }

// Take implements [Store]. It never blocks.
func (m *Memory) Take(ctx context.Context, key string, l Limit, cost int) (Decision, error) {
	if err := ctx.Err(); err != nil {
		return Decision{}, err
	}
	if err := l.Validate(); err != nil {
		return Decision{}, err
	}
	return m.table.take(key, l, l.pace(), cost), nil
}

// Stats are as those of a [Keyed].
func (m *Memory) Stats() Stats { return m.table.stats() }
