package tlsrecord

// Seal appends records with the bytes of all pieces, one behind the other, in
// as few records as hold them, and returns the longer slice. What it appends
// must be sent whole and in order. Pieces may be shared; they are only read.
//
// It puts a key update of its own in front when the client has asked for one,
// or when the key has sealed enough.
func (c *Cipher) Seal(s *State, dst []byte, pieces ...[]byte) []byte {
	start := -1 // of the record that is being filled
	for _, piece := range pieces {
		for len(piece) > 0 {
			if start < 0 {
				dst = c.refresh(s, dst)
				start = len(dst)
				dst = appendHeader(dst)
			}
			n := min(len(piece), start+HeaderSize+MaxPlaintext-len(dst))
			dst = append(dst, piece[:n]...)
			piece = piece[n:]
			if len(dst) == start+HeaderSize+MaxPlaintext {
				dst, start = c.lock(s, dst, start, applicationData), -1
			}
		}
	}
	if start >= 0 {
		dst = c.lock(s, dst, start, applicationData)
	}
	return dst
}

// SealedSize is how many bytes Seal appends for n bytes at most.
func SealedSize(n int) int {
	return n + (n/MaxPlaintext+1)*Overhead + len(keyUpdate) + 1 + Overhead
}

// SealAlert appends an alert. Nothing may be sealed after it.
func (c *Cipher) SealAlert(s *State, dst []byte, a Alert) []byte {
	start := len(dst)
	return c.lock(s, append(appendHeader(dst), a.level(), byte(a)), start, alertRecord)
}

// refresh appends a key update if there must be one before the next data.
func (c *Cipher) refresh(s *State, dst []byte) []byte {
	if !s.owed && s.out.seq < maxSealed {
		return dst
	}
	start := len(dst)
	dst = append(append(appendHeader(dst), keyUpdate[:]...), 0) // update_not_requested
	dst = c.lock(s, dst, start, handshakeRecord)
	s.owed = false
	s.suite.succeed(&s.out)
	return dst
}

// lock encrypts in place what stands behind a header at start.
func (c *Cipher) lock(s *State, dst []byte, start int, kind contentType) []byte {
	c.out.ready(s.suite, &s.out)
	if !c.out.count(&s.out) { // refresh keeps data from it, and there is one alert
		panic("tlsrecord: the record numbers are used up: something was sealed without end after an alert")
	}
	dst = append(dst, byte(kind))
	header, content := dst[start:start+HeaderSize], dst[start+HeaderSize:]
	size := len(content) + tagSize
	header[3], header[4] = byte(size>>8), byte(size) //nolint:gosec // MaxPlaintext+17 at most
	return c.out.aead.Seal(dst[:start+HeaderSize], c.out.nonce[:], content, header)
}
