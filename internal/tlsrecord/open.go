package tlsrecord

import "io"

// maxUseless is how many records in a row may carry nothing: empty ones, parts
// of a key update, user_canceled. It is that of crypto/tls.
const maxUseless = 16

// Open opens the first record in b, in place. n is its length; 0 means that it
// is incomplete, and that b is as it was. data is what the client sent in it, a
// part of b, empty for records that are for this layer only.
//
// The error is io.EOF after close_notify, a PeerError, or an Alert to seal and
// send. Nothing can be opened after an error.
func (c *Cipher) Open(s *State, b []byte) (data []byte, n int, err error) {
	n, err = whole(b)
	if n == 0 || err != nil {
		return nil, 0, err
	}
	inner, err := c.unlock(s, b[:n])
	if err != nil {
		return nil, 0, err
	}
	kind, content, err := unpad(inner)
	if err == nil {
		err = c.take(s, kind, content)
	}
	switch {
	case err != nil:
		return nil, 0, err
	case kind == applicationData:
		return content, n, nil
	}
	return nil, n, nil
}

// unlock decrypts a record in place.
func (c *Cipher) unlock(s *State, record []byte) ([]byte, error) {
	c.in.ready(s.suite, &s.in)
	if !c.in.count(&s.in) {
		return nil, internalError
	}
	sealed := record[HeaderSize:]
	inner, err := c.in.aead.Open(sealed[:0], c.in.nonce[:], sealed, record[:HeaderSize])
	switch {
	case err != nil:
		return nil, badRecordMAC
	case len(inner) > MaxPlaintext+1: // the type and the padding count (§5.4)
		return nil, recordOverflow
	}
	return inner, nil
}

// unpad finds the type behind the content and before the padding (§5.4).
func unpad(inner []byte) (contentType, []byte, error) {
	for i := len(inner) - 1; i >= 0; i-- {
		if inner[i] != 0 {
			return contentType(inner[i]), inner[:i], nil
		}
	}
	return 0, nil, unexpectedMessage
}

// take does what a record asks for.
func (c *Cipher) take(s *State, kind contentType, content []byte) error {
	if kind == applicationData && len(content) > 0 && s.begun == 0 {
		s.useless = 0
		s.credit = min(s.credit+1, maxCredit)
		return nil
	}
	if s.useless++; s.useless > maxUseless {
		return unexpectedMessage
	}
	switch {
	case kind == handshakeRecord:
		return c.hear(s, content)
	case s.begun > 0: // nothing comes between the parts of a message (§5.1)
		return unexpectedMessage
	case kind == applicationData:
		return nil
	case kind == alertRecord:
		return warned(content)
	}
	return unexpectedMessage
}

// warned is what an alert means. All but two are fatal, whatever their level
// says (§6).
func warned(content []byte) error {
	switch {
	case len(content) == 0:
		return unexpectedMessage
	case len(content) != 2: // alerts are never in pieces (§5.1)
		return decodeError
	case Alert(content[1]) == CloseNotify:
		return io.EOF
	case Alert(content[1]) == userCancelled: // what follows it says how it ends (§6.1)
		return nil
	}
	return PeerError(content[1])
}
