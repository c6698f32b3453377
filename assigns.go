package roost

import "maps"

// Assigns are a socket's values. Those of the connection are copied into each
// channel at its join and are independent afterwards.
type Assigns map[string]any

// with returns a copy that has key set.
func (a Assigns) with(key string, value any) Assigns {
	b := make(Assigns, len(a)+1)
	maps.Copy(b, a)
	b[key] = value
	return b
}

// merged returns a and b in one; b wins. The result may be either of them.
func (a Assigns) merged(b Assigns) Assigns {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	c := maps.Clone(a)
	maps.Copy(c, b)
	return c
}
