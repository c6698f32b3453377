package ratelimit

// ways is how many places a key can choose from. With 8, a table whose places
// are a quarter taken evicts one key in 7,000, and half taken one in 120: how
// keys fall into sets is Poisson's distribution.
const ways = 8

// set is the few places among which a key finds its own. A place that nobody
// has yet is the zero key's, with a bucket that is full.
type set[K comparable] struct {
	live     int // buckets that were not full when somebody counted last
	keys     [ways]K
	arrivals [ways]int64 // nanoseconds since the table was born
}

// find returns the place of a key, or the one it is to get: that of the bucket
// that is closest to full. One that is full again is closer than any other,
// and forgetting it changes nothing. A set that is nil knows nobody.
func (s *set[K]) find(key K) (place int, known bool) {
	if s == nil {
		return 0, false
	}
	for i := range s.keys {
		if s.keys[i] == key {
			return i, true
		}
		if s.arrivals[i] < s.arrivals[place] {
			place = i
		}
	}
	return place, false
}

// count counts the buckets that are not full now, and says by how many they
// are more than at the last count.
func (s *set[K]) count(now int64) (more int) {
	live := 0
	for _, arrival := range s.arrivals {
		if arrival > now {
			live++
		}
	}
	more = live - s.live
	s.live = live
	return more
}
