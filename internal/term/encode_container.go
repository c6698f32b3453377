package term

import "fmt"

// appendContainer appends a list, a tuple or a map whose elements lie depth deep.
func appendContainer(dst []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return dst, fmt.Errorf("%w: the bound is %d", ErrTooDeep, MaxDepth)
	}
	switch v := v.(type) {
	case []any:
		return appendList(dst, v, depth)
	case Tuple:
		return appendTuple(dst, v, depth)
	case Map:
		return appendMap(dst, v, depth)
	}
	return dst, fmt.Errorf("%w: %T", ErrValue, v)
}

func appendList(dst []byte, list []any, depth int) ([]byte, error) {
	switch {
	case len(list) == 0:
		return append(dst, tagNil), nil
	case len(list) > MaxSize:
		return dst, tooLarge(len(list))
	}
	if chars, ok := charsOf(list); ok {
		dst = append(dst, tagString, byte(len(chars)>>8), byte(len(chars))) //nolint:gosec // at most maxString
		return append(dst, chars...), nil
	}
	dst, err := appendAll(appendCount(dst, tagList, len(list)), list, depth)
	return append(dst, tagNil), err
}

// charsOf returns a list of bytes as such; false when it is another list.
func charsOf(list []any) ([]byte, bool) {
	if len(list) > maxString {
		return nil, false
	}
	chars := make([]byte, len(list))
	for i, v := range list {
		n, ok := v.(int64)
		if !ok || n != int64(uint8(n)) { //nolint:gosec // whether it fits is the question
			return nil, false
		}
		chars[i] = byte(n) //nolint:gosec // it fits
	}
	return chars, true
}

func appendTuple(dst []byte, t Tuple, depth int) ([]byte, error) {
	switch {
	case len(t) > MaxSize:
		return dst, tooLarge(len(t))
	case len(t) < 256:
		return appendAll(append(dst, tagSmallTuple, byte(len(t))), t, depth) //nolint:gosec // below 256
	}
	return appendAll(appendCount(dst, tagLargeTuple, len(t)), t, depth)
}

func appendMap(dst []byte, m Map, depth int) (_ []byte, err error) {
	if len(m) > MaxSize {
		return dst, tooLarge(len(m))
	}
	dst = appendCount(dst, tagMap, len(m))
	seen := make(keys, len(m))
	for _, p := range m {
		start := len(dst)
		if dst, err = appendTerm(dst, p.Key, depth); err != nil {
			return dst, err
		}
		if !seen.add(dst[start:]) {
			return dst, fmt.Errorf("%w: a map that has a key twice", ErrValue)
		}
		if dst, err = appendTerm(dst, p.Value, depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendAll(dst []byte, elements []any, depth int) (_ []byte, err error) {
	for _, v := range elements {
		if dst, err = appendTerm(dst, v, depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
