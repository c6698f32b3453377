package wire

import "unsafe"

// alias returns the bytes of b as a string without copying them: the string
// changes if b does. The package documentation says who may keep it.
func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
