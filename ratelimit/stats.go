package ratelimit

// Stats are what a limit has decided, and what it remembers.
type Stats struct {
	// Allowed, Refused and Shadowed count events since the start. What passed
	// in shadow mode only counts as shadowed, not as allowed.
	Allowed, Refused, Shadowed uint64

	// Evicted counts keys that were forgotten before their bucket was full
	// again, because more came than there are places.
	Evicted uint64

	// Keys is how many have a bucket that is not full now.
	Keys int

	// KeysHigh is the most there were at once. It is an upper bound: that a
	// bucket has become full is noticed when somebody wants its place, or
	// asks for the stats.
	KeysHigh int

	// UsedHigh is the most of its burst that anyone has used up, in events or
	// bytes: how close those who pass come to being refused.
	UsedHigh int

	// Places is how many keys can be remembered.
	Places int
}

// Plus adds up the stats of limits that share a purpose, such as one on each
// event loop; of UsedHigh it keeps the higher.
func (s Stats) Plus(o Stats) Stats {
	s.Allowed += o.Allowed
	s.Refused += o.Refused
	s.Shadowed += o.Shadowed
	s.Evicted += o.Evicted
	s.Keys += o.Keys
	s.KeysHigh += o.KeysHigh
	s.UsedHigh = max(s.UsedHigh, o.UsedHigh)
	s.Places += o.Places
	return s
}

// count counts one decision.
func (s *Stats) count(d Decision) {
	switch {
	case d.Shadowed:
		s.Shadowed++
	case d.Allowed:
		s.Allowed++
	default:
		s.Refused++
	}
}
