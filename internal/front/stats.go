package front

import "github.com/roostgo/roost/ratelimit"

// Stats are a door's counts.
type Stats struct {
	Places     ratelimit.GaugeStats
	Addresses  ratelimit.Stats
	Paced      uint64 // connections that waited for their time
	Dismissed  uint64 // idle connections that made room
	BadHeaders uint64 // connections that were closed because of their PROXY header
}

// Stats may be called at any time.
func (d *Door) Stats() Stats {
	return Stats{
		Places: d.places.Stats(), Addresses: d.rates.Stats(), Paced: d.paced.Load(),
		Dismissed: d.dismissed.Load(), BadHeaders: d.badHeaders.Load(),
	}
}
