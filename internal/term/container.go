package term

import "fmt"

// charlist reads a list of bytes, which is written more shortly than others.
func (r *reader) charlist() (any, error) {
	b, err := r.counted(2)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(b))
	for i, c := range b {
		list[i] = int64(c)
	}
	return list, nil
}

// container reads a list, a tuple or a map whose elements lie depth deep.
func (r *reader) container(tag int64, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: the bound is %d", ErrTooDeep, MaxDepth)
	}
	switch tag {
	case tagNil:
		return []any{}, nil
	case tagString:
		return r.charlist()
	case tagList:
		return r.list(depth)
	case tagMap:
		return r.pairs(depth)
	case tagSmallTuple:
		return r.tuple(1, depth)
	}
	return r.tuple(4, depth)
}

// tuple reads a number of the given width, and as many terms.
func (r *reader) tuple(width int64, depth int) (any, error) {
	n, err := r.number(width)
	if err != nil {
		return nil, err
	}
	elements, err := r.elements(n, depth)
	return Tuple(elements), err
}

// reserve promises n terms. Each takes a byte at the least, and so do those that
// the containers around were promised; a forged n is found out before room is
// made for it, even when every level forges one.
func (r *reader) reserve(n int64) error {
	if n > int64(len(r.rest))-r.owed {
		return fmt.Errorf("%w: %d elements in %d bytes", ErrTruncated, n, len(r.rest))
	}
	r.owed += n
	return nil
}

// owedTerm reads one of the terms that were reserved.
func (r *reader) owedTerm(depth int) (any, error) {
	r.owed--
	return r.term(depth)
}

// elements reads n terms.
func (r *reader) elements(n int64, depth int) ([]any, error) {
	if err := r.reserve(n); err != nil {
		return nil, err
	}
	elements := make([]any, n)
	for i := range elements {
		v, err := r.owedTerm(depth)
		if err != nil {
			return nil, err
		}
		elements[i] = v
	}
	return elements, nil
}

// list reads a number, as many terms, and the tail, which is the empty list
// unless the list is improper.
func (r *reader) list(depth int) (any, error) {
	n, err := r.number(4)
	if err != nil {
		return nil, err
	}
	elements, err := r.elements(n, depth)
	if err != nil {
		return nil, err
	}
	tail, err := r.number(1)
	if err != nil {
		return nil, err
	}
	if tail != tagNil {
		return nil, fmt.Errorf("%w: an improper list", ErrNotPlain)
	}
	return elements, nil
}

// pairs reads a number, and as many keys and values of a map. Erlang takes a key
// that is there twice for a fault, and so does this: readers would differ on what
// it means.
func (r *reader) pairs(depth int) (any, error) {
	n, err := r.number(4)
	if err != nil {
		return nil, err
	}
	if err := r.reserve(2 * n); err != nil {
		return nil, err
	}
	m := make(Map, n)
	seen := make(keys)
	for i := range m {
		key, err := r.owedTerm(depth)
		if err != nil {
			return nil, err
		}
		id, err := appendTerm(nil, key, depth)
		if err != nil {
			return nil, err
		}
		if !seen.add(id) {
			return nil, fmt.Errorf("%w: a map that has a key twice", ErrSyntax)
		}
		value, err := r.owedTerm(depth)
		if err != nil {
			return nil, err
		}
		m[i] = Pair{key, value}
	}
	return m, nil
}

// keys are those that a map has, each as [Encode] spells it: two spellings of a
// key are one key.
type keys map[string]struct{}

// add reports whether the key is new.
func (k keys) add(id []byte) bool {
	if _, known := k[string(id)]; known {
		return false
	}
	k[string(id)] = struct{}{}
	return true
}
