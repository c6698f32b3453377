package front

import (
	"container/list"
	"net/netip"
	"sync"

	"github.com/roostgo/roost/internal/ebb"
)

// idlers are guests that were answered and have asked nothing more, the longest
// idle first. They are kept as a favour to those who ask again: when the last place
// is taken, the oldest makes room for whoever comes next. Else a request a minute
// would hold a place, and a few addresses all of them.
type idlers struct {
	mu  sync.Mutex
	all list.List                       // of *guest
	of  ebb.Map[netip.Addr, *list.List] // of the guests of an address
}

// idler is where a guest stands.
type idler struct {
	all, own *list.Element // own is nil of one that counts for no address
	address  netip.Addr
}

// rest has a guest stand last, of those of his address as well.
func (i *idlers) rest(g *guest) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if g.idle != nil {
		return
	}
	g.idle = &idler{all: i.all.PushBack(g)}
	if p := g.holds.Load(); p != nil && p.limited {
		own := i.of.Find(p.key)
		if own == nil {
			own = list.New()
			i.of.Put(p.key, own)
		}
		g.idle.own, g.idle.address = own.PushBack(g), p.key
	}
}

// rise takes a guest out, who asks again or has gone. It reports whether he stood
// there.
func (i *idlers) rise(g *guest) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := g.idle
	if at == nil {
		return false
	}
	g.idle = nil
	i.all.Remove(at.all)
	if at.own != nil {
		own := i.of.Find(at.address)
		if own.Remove(at.own); own.Len() == 0 {
			i.of.Delete(at.address)
		}
	}
	return true
}

// oldest is who has been idle for the longest, or nil.
func (i *idlers) oldest() *guest {
	i.mu.Lock()
	defer i.mu.Unlock()
	return first(&i.all)
}

// oldestOf is who has been of those of an address, or nil.
func (i *idlers) oldestOf(address netip.Addr) *guest {
	i.mu.Lock()
	defer i.mu.Unlock()
	return first(i.of.Find(address))
}

func first(l *list.List) *guest {
	if l == nil || l.Len() == 0 {
		return nil
	}
	return l.Front().Value.(*guest) //nolint:forcetypeassert // there are no others
}

// makeRoom hangs up on the oldest idle guest when there is no place left. He may
// have sent his next request just now, as with any connection that a server keeps
// and then does not; clients ask again.
func (d *Door) makeRoom() {
	if most := d.config.Places.Max; most > 0 && !d.config.Places.Shadow && d.places.Held() >= most {
		d.dismiss(d.idle.oldest())
	}
}

// makeRoomFor does so when an address has no place left, for another of its own.
func (d *Door) makeRoomFor(address netip.Addr) {
	if most := d.config.Places.PerKey; most > 0 && !d.config.Places.Shadow && d.places.HeldOf(address) >= most {
		d.dismiss(d.idle.oldestOf(address))
	}
}

func (d *Door) dismiss(g *guest) {
	if g != nil && d.idle.rise(g) {
		d.dismissed.Add(1)
		_ = g.Close()
	}
}
