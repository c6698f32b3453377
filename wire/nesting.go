package wire

// container is what a JSON value may lie in.
type container uint64

const (
	array  container = 0
	object container = 1
)

// closer returns the byte that ends the container: ']' or '}'.
func (c container) closer() byte { return ']' + byte(c)<<5 } //nolint:gosec // 0 or 1

// nesting is a stack of containers, one bit each.
//
// A slice allocated for the depth that hostile JSON may have would cost every
// ordinary message; so the innermost 64 levels live in a word, and only what lies
// deeper spills to the heap.
type nesting struct {
	depth int
	inner uint64   // bit 0 is the innermost container
	outer []uint64 // full words, outermost first
}

// push enters a container; false means that it would be too deep.
func (n *nesting) push(c container) bool {
	if n.depth == maxDepth {
		return false
	}
	if n.depth > 0 && n.depth%64 == 0 {
		n.outer = append(n.outer, n.inner)
	}
	n.inner = n.inner<<1 | uint64(c)
	n.depth++
	return true
}

// pop leaves the innermost container.
func (n *nesting) pop() {
	n.depth--
	n.inner >>= 1
	if n.depth > 0 && n.depth%64 == 0 {
		last := len(n.outer) - 1
		n.inner, n.outer = n.outer[last], n.outer[:last]
	}
}

// top returns the innermost container; there must be one.
func (n *nesting) top() container { return container(n.inner & 1) }
